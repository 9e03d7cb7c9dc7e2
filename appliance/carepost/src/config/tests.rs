//! Each layer wins over the one before, and what is wrong is named with where it stands.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;

use super::*;

/// A data folder with this `carepost.toml`.
fn folder(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE_NAME), text).unwrap();
    folder
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn load(text: &str, pairs: &[(&str, &str)], flags: &[Flag]) -> Result<Config, String> {
    let folder = folder(text);
    Config::load(folder.path(), None, variables(pairs), flags)
        .map_err(|error| error.to_string().replace(&folder.path().display().to_string(), "DIR"))
}

fn listen(value: &str) -> Flag {
    Flag { name: "--listen", key: "http.listen", value: value.to_owned() }
}

#[test]
fn without_a_file_the_defaults_hold() {
    let empty = tempfile::tempdir().unwrap();
    let config = Config::load(empty.path(), None, [], &[]).unwrap();
    assert_eq!(config.http.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.http.tls_listen, None);
    assert_eq!(config.language.offered, LANGUAGES);
    assert_eq!(config.log, Log { json: false, level: tracing::Level::INFO });
    assert!(config.shown().all(|(_, _, origin)| *origin == Origin::Default));
    let named = empty.path().join("other.toml");
    let missing = Config::load(empty.path(), Some(&named), [], &[]).unwrap_err();
    assert!(matches!(missing, ConfigError::Unreadable { .. }), "{missing}");
}

#[test]
fn flags_beat_the_environment_which_beats_the_file() {
    let file = "[http]\nlisten = \"127.0.0.1:1\"\n[queue]\nwalk_in_wait_minutes = 1\n[kiosk]\nidle_seconds = 11";
    let pairs = [
        ("CAREPOST_HTTP__LISTEN", "127.0.0.1:2"),
        ("CAREPOST_QUEUE__WALK_IN_WAIT_MINUTES", "2"),
        ("CAREPOST_LANGUAGE__OFFERED", "hi, en"),
        ("CAREPOST_DATA", "/elsewhere"),
        ("PATH", "/bin"),
    ];
    let config = load(file, &pairs, &[listen("127.0.0.1:3")]).unwrap();
    assert_eq!(config.http.listen.port(), 3);
    assert_eq!(config.queue.walk_in_wait_minutes, 2);
    assert_eq!(config.kiosk.idle_seconds, 11);
    assert_eq!(config.language.offered, ["hi", "en"]);
    let shown: BTreeMap<_, _> = config
        .shown()
        .map(|(setting, value, origin)| (setting.key, (value, origin.clone())))
        .collect();
    assert_eq!(shown["http.listen"], ("\"127.0.0.1:3\"".into(), Origin::Flag("--listen")));
    let variable = Origin::Variable("CAREPOST_QUEUE__WALK_IN_WAIT_MINUTES".into());
    assert_eq!(shown["queue.walk_in_wait_minutes"], ("2".into(), variable));
    assert!(matches!(shown["kiosk.idle_seconds"].1, Origin::File(_)));
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_one_and_where_it_stands() {
    let in_file = load("[http]\nlisen = \"127.0.0.1:1\"", &[], &[]).unwrap_err();
    assert!(in_file.contains("DIR/carepost.toml"), "{in_file}");
    assert!(in_file.contains("`http.lisen`; the nearest is `http.listen`"), "{in_file}");
    for (text, nearest) in [
        ("idle_seconds = 3", "kiosk.idle_seconds"),
        ("[server]\ntls_listen = \"\"", "http.tls_listen"),
        ("[http.listen]\nport = 1", "http.listen"),
    ] {
        let error = load(text, &[], &[]).unwrap_err();
        assert!(error.contains(nearest), "{error}");
    }
    let variable = load("", &[("CAREPOST_LOG_LEVEL", "info")], &[]).unwrap_err();
    assert!(variable.starts_with("CAREPOST_LOG_LEVEL: "), "{variable}");
    assert!(variable.contains("`log.level`"), "{variable}");
    // Those of a hub on the same machine are none of the box's.
    assert!(load("", &[("CAREPOST_HUB_DATA", "/var/lib/carepost-hub")], &[]).is_ok());
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_what_is_expected() {
    let number = load("[kiosk]\nidle_seconds = \"soon\"", &[], &[]).unwrap_err();
    assert_eq!(
        number,
        "DIR/carepost.toml: kiosk.idle_seconds takes a whole number from 10 to 600, not \"soon\""
    );
    let syntax = load("[http]\n\nlisten = = 3", &[], &[]).unwrap_err();
    assert!(syntax.starts_with("DIR/carepost.toml, line 3: "), "{syntax}");
    // One value that is wrong for each setting: none is read without being checked.
    for setting in SETTINGS {
        let (section, name) = setting.key.split_once('.').unwrap();
        let error = load(&format!("[{section}]\n{name} = 1.5"), &[], &[]).unwrap_err();
        assert!(error.contains(&format!("{} takes ", setting.key)), "{error}");
        assert!(!error.contains('\n'));
    }
    for (section, value) in [
        ("kiosk]\nidle_seconds", "9"),
        ("language]\noffered", "[\"xx\"]"),
        ("messages]\nquiet_from", "\"24:00\""),
        ("relay]\nbroker", "\"http://x\""),
    ] {
        assert!(load(&format!("[{section} = {value}"), &[], &[]).is_err());
    }
}

#[test]
fn public_names_are_names_and_nothing_else() {
    assert_eq!(load("", &[], &[]).unwrap().http.hosts, [""; 0]);
    let file = "[http]\nhosts = [\"Clinic.Example\", \"box.clinic.example.\"]";
    assert_eq!(load(file, &[], &[]).unwrap().http.hosts, ["clinic.example", "box.clinic.example"]);
    let variable = [("CAREPOST_HTTP__HOSTS", "clinic.example, other.example")];
    let config = load(file, &variable, &[]).unwrap();
    assert_eq!(config.http.hosts, ["clinic.example", "other.example"]);
    assert_eq!(load(file, &[("CAREPOST_HTTP__HOSTS", "")], &[]).unwrap().http.hosts, [""; 0]);
    for wrong in
        ["https://clinic.example", "clinic.example:443", "*.example", "a..b", "-a.b", "a,a"]
    {
        assert!(load("", &[("CAREPOST_HTTP__HOSTS", wrong)], &[]).is_err(), "{wrong}");
    }
}

#[test]
fn records_do_not_cross_the_network_in_clear_by_accident() {
    let error = load("", &[], &[listen("0.0.0.0:8080")]).unwrap_err();
    assert!(error.starts_with("--listen: "), "{error}");
    assert!(error.contains("http.allow_plain_on_lan = true"), "{error}");
    assert!(load("", &[], &[listen("[::1]:8080")]).is_ok());
    let allowed = [("CAREPOST_HTTP__ALLOW_PLAIN_ON_LAN", "true")];
    assert!(load("", &allowed, &[listen("192.168.1.20:8080")]).is_ok());
}

#[test]
fn settings_that_do_not_go_together_are_refused() {
    for text in [
        "[http]\ntls_listen = \"127.0.0.1:8080\"",
        "[http]\ntrust_listen = \"0.0.0.0:80\"",
        "[language]\noffered = [\"hi\"]",
        "http = 3",
    ] {
        assert!(load(text, &[], &[]).is_err(), "{text}");
    }
}

#[test]
fn the_readmes_table_has_a_row_for_each_setting() {
    let table = markdown();
    assert_eq!(table.lines().count(), SETTINGS.len() + 2);
    assert!(table.contains("| `kiosk.idle_seconds` | `30` | a whole number from 10 to 600 |"));
}
