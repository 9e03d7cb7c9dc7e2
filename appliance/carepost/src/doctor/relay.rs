//! The doctor's look at the relay: whether messages of patients can come and go, and if not, where they are held up.

use std::path::Path;

use anyhow::Context as _;
use channels::relay::{AUTHORITY, Broker, CERTIFICATE, KEY, Settings, Shut, knock};
use jiff::{SignedDuration, Timestamp};
use prm::db::Db;
use prm::hub::Hub;
use prm::relay;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sync_agent::messages::Messages;
use uuid::Uuid;

use super::{Finding, bad, good, runtime, warning};
use crate::config::Config;
use crate::place;
use crate::relay::{PASSWORD, Seen, let_in};

/// The box that serves writes down what it sees at least this often, and a little slack.
const SEEN_WITHIN: SignedDuration = SignedDuration::from_mins(3);
/// A hub that is there answers the box's question of every ten minutes; two of them may be lost.
const SILENT_AFTER: SignedDuration = SignedDuration::from_mins(25);
/// A hub that is there takes a message within seconds.
const WAITS_MAX: SignedDuration = SignedDuration::from_mins(5);
/// With fewer days of a certificate left it is time to make a new one.
const CERTIFICATE_DAYS_MIN: i64 = 30;

/// Looks at the relay, and knocks at the broker. The box may serve meanwhile.
pub fn look(data: &Path, db: &Db, config: &Config, now: Timestamp) -> Vec<Finding> {
    const WHAT: &str = "relay";
    let waits =
        db.read_blocking(|read| Ok((relay::waiting_count(read)?, relay::waits_since(read)?)));
    let (waiting, since) = match waits {
        Ok(waits) => waits,
        Err(error) => return vec![bad(WHAT, format!("cannot be looked at: {error}"))],
    };
    let Some(broker) = &config.broker else {
        return vec![unset(waiting)];
    };
    let keys = place::keys(data);
    let asked =
        runtime().and_then(|it| Ok(it.block_on(Messages::new(db.clone(), keys.clone()).hub())?));
    let hub = match asked {
        Ok(Some(hub)) => hub,
        Ok(None) => {
            let what = "a broker is set, but no hub listens to this box, so nothing goes; join one with `carepost enroll`";
            return vec![warning(WHAT, what)];
        }
        Err(error) => return vec![bad(WHAT, format!("cannot be looked at: {error:#}"))],
    };
    let mut found = certificates(&keys, now);
    found.push(line(broker, &keys, &hub));
    found.extend(hears(Seen::read(data).as_ref(), now));
    found.push(queue(waiting, since, now));
    found
}

/// Without a broker.
fn unset(waiting: i64) -> Finding {
    const WHAT: &str = "relay";
    let how = "set relay.broker, such as \"mqtts://broker.example\"";
    if waiting > 0 {
        let what =
            format!("{waiting} messages wait for the hub, and no broker is set any more; {how}");
        return bad(WHAT, what);
    }
    good(
        WHAT,
        format!("no broker is set, so nobody is answered on WhatsApp; to change that, {how}"),
    )
}

/// The certificates for the broker, as far as there are any.
fn certificates(keys: &Path, now: Timestamp) -> Vec<Finding> {
    const WHAT: &str = "relay, certificates";
    let mut found = Vec::new();
    for name in [AUTHORITY, CERTIFICATE] {
        let path = keys.join(name);
        if !path.exists() {
            continue;
        }
        found.push(match days_left(&path, now) {
            Err(error) => bad(
                WHAT,
                format!("keys/{name} cannot be used: {error:#}; put a certificate in PEM there"),
            ),
            Ok(days) if days < 0 => bad(WHAT, format!("keys/{name} is over; put a new one there")),
            Ok(days) if days < CERTIFICATE_DAYS_MIN => {
                warning(WHAT, format!("keys/{name} has {days} days left; put a new one there"))
            }
            Ok(days) => good(WHAT, format!("keys/{name}, {days} days left")),
        });
    }
    if keys.join(CERTIFICATE).exists() != keys.join(KEY).exists() {
        let what = format!(
            "keys/{CERTIFICATE} and keys/{KEY} belong together; put both there, or neither"
        );
        found.push(bad(WHAT, what));
    }
    found
}

/// Whole days until a certificate ends; below zero after it.
fn days_left(path: &Path, now: Timestamp) -> anyhow::Result<i64> {
    let certificate = CertificateDer::from_pem_file(path)?;
    let (_, parsed) = x509_parser::parse_x509_certificate(&certificate)?;
    let left = parsed.validity().not_after.timestamp() - now.as_second();
    Ok(left.div_euclid(24 * 60 * 60))
}

/// Whether the broker lets the box in: under another client id, so that a box that serves stays connected.
fn line(broker: &Broker, keys: &Path, hub: &Hub) -> Finding {
    const WHAT: &str = "relay, broker";
    let (clinic, device) = (Uuid::from_bytes(hub.clinic), Uuid::from_bytes(hub.box_id));
    let broker = match let_in(broker.clone(), keys, clinic) {
        Ok(broker) => broker,
        Err(error) => {
            return bad(WHAT, format!("{error:#}; write the password alone into keys/{PASSWORD}"));
        }
    };
    let at = format!("{}:{}", broker.host, broker.port);
    let has_login = broker.login.is_some();
    let knocked = (|| -> anyhow::Result<Result<(), Shut>> {
        let folder = tempfile::tempdir().context("no folder can be made")?;
        let mut settings = Settings::of_box(broker, clinic, device, folder.path().to_owned());
        settings.client_id = format!("{device}-doctor");
        (settings.status, settings.session_seconds) = (None, 0);
        Ok(runtime()?.block_on(knock(&settings)))
    })();
    match knocked {
        Ok(Ok(())) => good(WHAT, format!("{at} lets the box in")),
        Ok(Err(shut)) => bad(WHAT, said(&at, shut, (clinic, has_login))),
        Err(error) => bad(WHAT, format!("{error:#}")),
    }
}

/// Why the broker does not let the box in, and what to do.
fn said(at: &str, shut: Shut, (clinic, has_login): (Uuid, bool)) -> String {
    match shut {
        Shut::Unreachable(why) => {
            format!(
                "{at} cannot be reached ({why}); look whether relay.broker names it, whether it runs, and at the firewall"
            )
        }
        Shut::Tls(why) => format!(
            "{why}; let keys/{AUTHORITY} hold the certificate of who vouches for the broker, and relay.broker the name in the broker's certificate"
        ),
        Shut::Refused(why) if has_login => format!(
            "{at} refuses the box ({why}); let the broker know the name {clinic} with the password in keys/{PASSWORD}"
        ),
        Shut::Refused(why) | Shut::Broken(why) => format!(
            "{at} does not let the box in ({why}); it wants a password (keys/{PASSWORD}, of the name {clinic}) or a certificate of that name (keys/{CERTIFICATE} and keys/{KEY}) that it trusts"
        ),
    }
}

/// What the box that serves sees.
fn hears(seen: Option<&Seen>, now: Timestamp) -> Option<Finding> {
    const WHAT: &str = "relay, connection";
    let Seen { at, connected, since, why, heard_at } = seen?;
    if SEEN_WITHIN < now.duration_since(*at) {
        return Some(warning(
            WHAT,
            format!("the box last served at {at}; start it with `carepost serve`"),
        ));
    }
    if !connected {
        let why = why.as_deref().unwrap_or("it was not said why");
        return Some(bad(WHAT, format!("the box that serves has none since {since}: {why}")));
    }
    let heard = heard_at.unwrap_or(*since);
    if SILENT_AFTER < now.duration_since(heard.max(*since)) {
        return Some(bad(
            WHAT,
            format!(
                "the broker has let the box in since {since}, but nothing of the hub was heard since {heard}; look whether the hub runs with --broker at the same broker, and at the broker's access list"
            ),
        ));
    }
    Some(match heard_at {
        Some(heard_at) => {
            good(WHAT, format!("connected since {since}, the hub was heard at {heard_at}"))
        }
        None => good(WHAT, format!("connected since {since}, nothing of the hub was heard yet")),
    })
}

/// What waits for the hub.
fn queue(waiting: i64, since: Option<Timestamp>, now: Timestamp) -> Finding {
    const WHAT: &str = "relay, messages";
    match since.filter(|_| waiting > 0) {
        None => good(WHAT, "none wait for the hub"),
        Some(since) if WAITS_MAX < now.duration_since(since) => {
            let minutes = now.duration_since(since).as_mins();
            let what = format!(
                "{waiting} wait for the hub, the oldest for {minutes} minutes; they go by themselves when the line is back, and what comes too late is not sent"
            );
            warning(WHAT, what)
        }
        Some(_) => good(WHAT, format!("{waiting} are on their way to the hub")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-11-23T{text}Z").parse().unwrap()
    }

    fn seen(connected: bool, since: &str, heard: Option<&str>) -> Seen {
        let why = (!connected).then(|| "the broker does not answer".to_owned());
        let (since, heard_at) = (at(since), heard.map(at));
        Seen { at: at("10:00:00"), connected, since, why, heard_at }
    }

    #[test]
    fn a_hub_that_is_silent_behind_a_broker_that_is_not_is_told_from_a_broker_that_is_away() {
        let now = at("10:01:00");
        let state = |seen: &Seen| hears(Some(seen), now).map(|it| it.state);
        assert_eq!(state(&seen(true, "08:00:00", Some("09:55:00"))), Some(State::Good));
        // A box that has just connected has not waited long enough to say so.
        assert_eq!(state(&seen(true, "09:58:00", Some("08:00:00"))), Some(State::Good));
        let silent = hears(Some(&seen(true, "08:00:00", Some("09:30:00"))), now).unwrap();
        assert_eq!(silent.state, State::Bad);
        assert!(silent.detail.contains("--broker"), "{}", silent.detail);
        assert_eq!(state(&seen(true, "08:00:00", None)), Some(State::Bad));
        let away = hears(Some(&seen(false, "09:00:00", None)), now).unwrap();
        assert_eq!(away.state, State::Bad);
        assert!(away.detail.contains("does not answer"), "{}", away.detail);
        let ended = hears(Some(&seen(true, "08:00:00", None)), at("11:00:00")).unwrap();
        assert_eq!(ended.state, State::Warning);
        assert!(ended.detail.contains("carepost serve"), "{}", ended.detail);
        assert_eq!(hears(None, now).map(|it| it.state), None);
    }

    #[test]
    fn messages_that_wait_for_long_are_told_with_how_long() {
        let now = at("10:00:00");
        assert_eq!(queue(0, None, now).state, State::Good);
        assert_eq!(queue(3, Some(at("09:58:00")), now).state, State::Good);
        let late = queue(3, Some(at("09:20:00")), now);
        assert_eq!(late.state, State::Warning);
        assert!(
            late.detail.contains("3 wait") && late.detail.contains("40 minutes"),
            "{}",
            late.detail
        );
    }

    #[test]
    fn a_box_without_a_broker_is_well_unless_messages_wait() {
        assert_eq!((unset(0).state, unset(2).state), (State::Good, State::Bad));
    }

    #[test]
    fn a_certificate_that_is_over_or_is_none_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let now = at("10:00:00");
        assert!(certificates(folder.path(), now).is_empty());
        std::fs::write(folder.path().join(AUTHORITY), "no certificate").unwrap();
        let states: Vec<State> =
            certificates(folder.path(), now).iter().map(|it| it.state).collect();
        assert_eq!(states, [State::Bad]);
        let mut params = rcgen::CertificateParams::new(["broker.example".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2026, 12, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        std::fs::write(folder.path().join(AUTHORITY), &certificate).unwrap();
        std::fs::write(folder.path().join(CERTIFICATE), certificate).unwrap();
        let found = certificates(folder.path(), now);
        let states: Vec<State> = found.iter().map(|it| it.state).collect();
        // A week is left, and the key is missing.
        assert_eq!(states, [State::Warning, State::Warning, State::Bad], "{found:?}");
        let over = certificates(folder.path(), "2027-01-01T00:00:00Z".parse().unwrap());
        assert!(over[0].detail.contains("over"), "{over:?}");
    }
}
