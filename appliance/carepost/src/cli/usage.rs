//! What is typed behind a flag, checked; and wrong usage said in one line.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::error::ErrorKind;
use fhir::scope::Scopes;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use prm::id::TokenId;
use prm::stamp::Role;

use super::terminal;

/// Answers what is no command: help and version end with 0, wrong usage with 2 and one line that
/// says what to do.
pub(super) fn answer(error: &clap::Error) -> ExitCode {
    let is_help =
        !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if is_help {
        // When the terminal is closed there is nobody to tell.
        let _ = error.print();
    } else {
        terminal::complain(&in_one_line(&error.render().to_string()));
    }
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// The paragraphs of a message as one line, and the command whose help says more.
fn in_one_line(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let (said, usage) = text.split_once("Usage: ").unwrap_or((text, ""));
    let said = said.split("For more information").next().unwrap_or(said);
    let paragraphs = said.split("\n\n").map(|paragraph| {
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        words.join(" ")
    });
    let paragraphs: Vec<String> = paragraphs.filter(|paragraph| !paragraph.is_empty()).collect();
    let command = usage.split_whitespace().take_while(|word| !word.starts_with(['-', '[', '<']));
    let mut command: Vec<&str> = command.collect();
    if command.is_empty() {
        command.push("carepost");
    }
    format!("{}; see `{} --help`", paragraphs.join("; "), command.join(" "))
}

/// The role of that word.
pub(super) fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).map_err(|error| error.to_string())
}

/// An IANA time zone that is known here.
pub(super) fn timezone(text: &str) -> Result<String, String> {
    match TimeZone::get(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("write the name of an IANA time zone, for example Asia/Kolkata".to_owned()),
    }
}

/// An address with its port.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "write an address with its port, for example 127.0.0.1:8080".to_owned())
}

/// `90d`, `12h`, `2w`; days have 24 hours.
pub(super) fn length_of_time(text: &str) -> Result<SignedDuration, String> {
    let span: Option<Span> = text.parse().ok();
    let long = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    long.filter(|long| long.is_positive())
        .ok_or_else(|| "write a length of time, for example 90d or 12h".to_owned())
}

/// The name of a system that resources come from.
pub(super) fn source(text: &str) -> Result<String, String> {
    let is_good =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    if (1..=prm::imported::SOURCE_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_good) {
        return Ok(text.to_owned());
    }
    Err("write a name of small letters, digits, dots and hyphens, for example old-emr".to_owned())
}

/// The id of a token.
pub(super) fn token_id(text: &str) -> Result<TokenId, String> {
    text.parse().map_err(|_| "this is no token's id; `carepost token list` shows them".to_owned())
}

/// Scopes of SMART, as they are written.
pub(super) fn scopes(text: &str) -> Result<String, String> {
    Scopes::parse(text).map(|scopes| scopes.to_string()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::Cli;
    use super::*;

    fn said(arguments: &[&str]) -> String {
        let error = Cli::try_parse_from(arguments).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{arguments:?}");
        in_one_line(&error.render().to_string())
    }

    #[test]
    fn wrong_usage_is_one_line_that_says_what_to_do() {
        for (arguments, line) in [
            (&["carepost", "sevre"][..], "'serve'; see `carepost --help`"),
            (
                &["carepost", "init", "--data", "x"],
                "--name <NAME> --timezone <IANA>; see `carepost init --help`",
            ),
            (&["carepost", "serve", "--lisen", "x"], "--listen"),
            (
                &["carepost", "token", "create", "--data", "x", "--name", "x", "--role", "boss"],
                "the role is one of admin, clerk, practitioner, kiosk, auditor, integrator, hub; see `carepost --help`",
            ),
            (
                &[
                    "carepost",
                    "token",
                    "create",
                    "--data",
                    "x",
                    "--name",
                    "x",
                    "--role",
                    "clerk",
                    "--expires",
                    "90x",
                ],
                "for example 90d or 12h",
            ),
            (
                &["carepost", "init", "--data", "x", "--name", "x", "--timezone", "Mars/Base"],
                "for example Asia/Kolkata",
            ),
        ] {
            let said = said(arguments);
            assert!(said.contains(line), "{said}");
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }

    #[test]
    fn a_length_of_time_is_one_and_is_not_over_already() {
        assert_eq!(length_of_time("90d"), Ok(SignedDuration::from_hours(90 * 24)));
        for wrong in ["", "90", "-1d", "0d", "soon"] {
            assert!(length_of_time(wrong).is_err(), "{wrong}");
        }
    }
}
