//! What keeps two clinics apart when our own statements do not.

use std::process::Command;

use sync_hub::store::{Address, Store, StoreError, prepare};

use super::hub::Place;
use super::hub::cluster::{Cluster, PASSWORD};

fn hex(clinic: [u8; 16]) -> String {
    clinic.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Runs statements as the program's role, for one clinic.
fn ask_for(cluster: &Cluster, clinic: [u8; 16], sql: &str) -> Result<Vec<Vec<String>>, String> {
    let id = hex(clinic);
    let sql = format!(
        "BEGIN; SET LOCAL carepost.clinic = '{id}'; SET search_path = carepost; {sql}; COMMIT"
    );
    cluster.ask("hub", "carepost", &sql)
}

/// The tables that belong to clinics, each with the column that says whose a row is.
fn tables(cluster: &Cluster) -> Vec<(String, &'static str)> {
    let sql = "SELECT relname FROM pg_class WHERE relnamespace = 'carepost'::regnamespace
        AND relkind = 'r' AND relname <> 'format' ORDER BY relname";
    let found = cluster.ask("postgres", "carepost", sql).unwrap();
    let column = |table: &str| if table == "clinic" { "id" } else { "clinic" };
    found.into_iter().map(|mut row| row.remove(0)).map(|it| (it.clone(), column(&it))).collect()
}

#[tokio::test]
async fn the_programs_role_sees_and_writes_rows_of_one_clinic_only() {
    let place = Place::new();
    let cluster = place.cluster.as_ref().unwrap();
    let mut ours = place.join("Shanti").await;
    let mut theirs = place.join("Asha").await;
    for device in [&mut ours, &mut theirs] {
        device.write_patient("1", "Asha");
        device.write("Patient/2", "{");
        device.sync(&place.hub).await;
    }
    let (ours, theirs) = (ours.clinic, theirs.clinic);
    let tables = tables(cluster);
    for needed in ["box", "clinic", "enrolment_code", "parked", "record"] {
        assert!(tables.iter().any(|(table, _)| table == needed), "{tables:?}");
    }
    for (table, column) in &tables {
        let theirs = format!("decode('{}', 'hex')", hex(theirs));
        let count = |sql: String| ask_for(cluster, ours, &sql).unwrap();
        let all = format!("SELECT count(*) FROM {table}");
        let others = format!("{all} WHERE {column} = {theirs}");
        assert_eq!(count(others), [["0"]], "{table}");
        // Without a clinic there is nothing at all.
        let sql = format!("SET search_path = carepost; {all}");
        assert_eq!(cluster.ask("hub", "carepost", &sql).unwrap(), [["0"]], "{table}");
        // What is there of the other is neither altered nor removed, and nothing is added to it.
        let before = cluster.ask(
            "postgres",
            "carepost",
            &format!("SELECT * FROM carepost.{table} ORDER BY 1"),
        );
        for sql in [
            format!("UPDATE {table} SET {column} = {column} WHERE {column} = {theirs} RETURNING 1"),
            format!("DELETE FROM {table} WHERE {column} = {theirs} RETURNING 1"),
        ] {
            assert!(count(sql).is_empty(), "{table}");
        }
        if !count(all).iter().flatten().any(|it| it == "0") {
            let taken = format!("UPDATE {table} SET {column} = {theirs}");
            assert_eq!(ask_for(cluster, ours, &taken), Err("42501".to_owned()), "{table}");
        }
        let after = cluster.ask(
            "postgres",
            "carepost",
            &format!("SELECT * FROM carepost.{table} ORDER BY 1"),
        );
        assert_eq!(before, after, "{table}");
    }
    let theirs = hex(theirs);
    let added = format!(
        "INSERT INTO record VALUES (decode('{theirs}', 'hex'), 'Patient/9', 'Patient', 9, 0, 'x')"
    );
    assert_eq!(ask_for(cluster, ours, &added), Err("42501".to_owned()));
    // What may be seen of all clinics is what the views say.
    let names = ask_for(cluster, ours, "SELECT name FROM overview ORDER BY name").unwrap();
    assert_eq!(names, [["Asha"], ["Shanti"]]);
    // And the role makes no views, tables or functions of its own there.
    let made = "CREATE VIEW carepost.mine AS SELECT 1 AS it";
    assert_eq!(cluster.ask("hub", "carepost", made), Err("42501".to_owned()));
}

/// What the hub says about the role and the database.
fn refusal(cluster: &Cluster, role: &str) -> Option<String> {
    let address: Address = cluster.address(role, "carepost").parse().unwrap();
    match Store::connect(&address) {
        Ok(_) => None,
        Err(error @ (StoreError::Unfit(_) | StoreError::Newer(_))) => Some(error.to_string()),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_role_or_a_server_that_could_break_a_promise_is_refused() {
    let place = Place::new();
    let cluster = place.cluster.as_ref().unwrap();
    let said = |sql: &str, undo: &str, word: &str| {
        cluster.ask("postgres", "carepost", sql).unwrap();
        let refused = refusal(cluster, "hub").unwrap_or_default();
        assert!(refused.contains(word), "{sql}: {refused}");
        cluster.ask("postgres", "carepost", undo).unwrap();
        assert_eq!(refusal(cluster, "hub"), None, "{undo}");
    };
    assert!(refusal(cluster, "postgres").unwrap().contains("superuser"));
    said("ALTER ROLE hub BYPASSRLS", "ALTER ROLE hub NOBYPASSRLS", "bypass");
    said("GRANT carepost_owner TO hub", "REVOKE carepost_owner FROM hub", "owns");
    for (off, on) in [("NO FORCE", "FORCE"), ("DISABLE", "ENABLE")] {
        let table = |how| format!("ALTER TABLE carepost.record {how} ROW LEVEL SECURITY");
        said(&table(off), &table(on), "not forced");
    }
    let commit = "ALTER ROLE hub SET synchronous_commit";
    said(&format!("{commit} = off"), &format!("{commit} = on"), "synchronous_commit");
    let version = |by: &str| format!("UPDATE carepost.format SET version = version {by}");
    said(&version("+ 1"), &version("- 1"), "newer");
    said(&version("- 1"), &version("+ 1"), "prepare");
    said(
        "REVOKE USAGE ON SCHEMA carepost FROM hub",
        "GRANT USAGE ON SCHEMA carepost TO hub",
        "prepare",
    );
}

#[tokio::test]
async fn preparing_again_changes_nothing_and_the_hub_goes_on() {
    let place = Place::new();
    let cluster = place.cluster.as_ref().unwrap();
    let mut device = place.join("Shanti").await;
    device.write_patient("1", "Asha");
    device.sync(&place.hub).await;
    let program = |admin: &str, role: &str| {
        let done = Command::new(env!("CARGO_BIN_EXE_carepost-hub"))
            .args(["database", "prepare"])
            .env("CAREPOST_HUB_ADMIN", cluster.address(admin, "carepost"))
            .env("CAREPOST_HUB_DATABASE", cluster.address(role, "carepost"))
            .output()
            .unwrap();
        let said = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
        assert!(!said.contains(PASSWORD), "{said}");
        (done.status.code(), said)
    };
    assert_eq!(program("postgres", "hub").0, Some(0));
    device.write_patient("2", "Ravi");
    device.sync(&place.hub).await;
    assert_eq!(place.record_count(device.clinic), 2);
    assert_eq!(refusal(cluster, "hub"), None);
    // The hub's role may not prepare anything, not even for another, and nobody for two databases.
    assert_eq!(program("hub", "other").0, Some(1));
    assert_eq!(program("postgres", "postgres").0, Some(1));
    let address = |database| cluster.address("postgres", database).parse::<Address>().unwrap();
    let elsewhere = cluster.address("hub", "another").parse().unwrap();
    assert!(matches!(prepare(&address("carepost"), &elsewhere), Err(StoreError::Unfit(_))));
    assert_eq!(refusal(cluster, "hub"), None);
}
