//! The doctor's look at e-mail: whether the clinic's mail server lets the box in, and if not, what to mend.

use std::path::Path;

use super::{Finding, bad, good, runtime};
use crate::config::Config;
use crate::email::server::{AUTHORITY, LOGIN, Trouble, knock};
use crate::place;

const WHAT: &str = "e-mail";

/// Knocks at the mail server, if there is one; no letter is sent.
pub fn look(data: &Path, config: &Config) -> Finding {
    let Some(settings) = &config.email else {
        let what = "no mail server is set, so nothing goes by e-mail; to change that, set email.server and email.from";
        return good(WHAT, what);
    };
    let at = format!("{}:{}", settings.server.host, settings.server.port);
    match runtime().map(|it| it.block_on(knock(settings, &place::keys(data)))) {
        Ok(Ok(())) => good(WHAT, format!("{at} lets the box in")),
        Ok(Err(trouble)) => bad(WHAT, said(&at, &trouble)),
        Err(error) => bad(WHAT, format!("{error:#}")),
    }
}

/// Why the server does not let the box in, and what to do.
fn said(at: &str, Trouble { code }: &Trouble) -> String {
    match code.as_str() {
        "login-readable" => format!("others may read keys/{LOGIN}; run chmod 600 on it"),
        "login-unreadable" => {
            format!("keys/{LOGIN} holds no name and password; write them there, one line each")
        }
        AUTHORITY => format!("keys/{AUTHORITY} cannot be used; put a certificate in PEM there"),
        "tls" => format!(
            "{at} is not believed to be the mail server; let email.server have the name in its certificate, and keys/{AUTHORITY} hold the certificate of who vouches for it"
        ),
        "not-let-in" => format!(
            "{at} offers no TLS, or no way to be let in that the box knows (PLAIN, LOGIN); ask whoever runs it, or write email.server with smtps://"
        ),
        "unreachable" | "too-slow" => format!(
            "{at} does not answer ({code}); look whether email.server names it, whether it runs, and at the firewall"
        ),
        code => format!(
            "{at} refuses the box (SMTP {code}); look at the name and the password in keys/{LOGIN}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;
    use crate::http::tests::Clinic;

    #[test]
    fn a_box_without_a_mail_server_is_well_and_one_whose_server_is_away_is_not() {
        let clinic = Clinic::new();
        let state = |clinic: &Clinic| look(&clinic.app.data, &clinic.app.config).state;
        assert_eq!(state(&clinic), State::Good);
        // Nobody listens at this port (RFC 6335: it is reserved).
        let set = "[email]\nserver = \"smtp://127.0.0.1:1\"\nfrom = \"desk@shanti.example\"";
        let away = Clinic::with_settings(set);
        let found = look(&away.app.data, &away.app.config);
        assert_eq!(found.state, State::Bad);
        assert!(found.detail.contains("127.0.0.1:1 does not answer"), "{}", found.detail);
    }

    #[test]
    fn what_to_mend_is_said_of_each_trouble() {
        let said = |code: &str| said("mail.example:465", &Trouble { code: code.to_owned() });
        assert!(said("535").contains("SMTP 535") && said("535").contains(LOGIN));
        assert!(said("tls").contains(AUTHORITY) && said(AUTHORITY).contains("PEM"));
        assert!(said("login-readable").contains("chmod 600"));
        assert!(said("not-let-in").contains("smtps://"));
    }
}
