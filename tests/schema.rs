//! `schema.sql` shows a database as its migrations leave it.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

/// Set to write the file instead of comparing it.
const WRITE: &str = "CAREPOST_WRITE_SCHEMA";

/// All statements of the database that the migrations make, in the order in which they were made.
fn as_migrated(folder: &Path) -> String {
    let mut migrations: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().is_some_and(|name| name != "schema.sql"))
        .collect();
    migrations.sort();
    assert!(!migrations.is_empty(), "there are migrations");
    let database = Connection::open_in_memory().unwrap();
    for migration in migrations {
        let statements = fs::read_to_string(&migration).unwrap();
        if let Err(error) = database.execute_batch(&statements) {
            panic!("{}: {error}", migration.display());
        }
    }
    // What a virtual table makes for itself comes with it, and has no place in the file.
    let mut statement = database
        .prepare(
            "SELECT sql || ';' FROM sqlite_schema s WHERE sql IS NOT NULL
             AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')
             ORDER BY rowid",
        )
        .unwrap();
    let statements = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let header = format!(
        "-- The whole database, written by `{WRITE}=1 cargo nextest run -p tests schema`.\n\n"
    );
    header + &statements.map(|it| it.unwrap() + "\n").collect::<Vec<_>>().join("\n")
}

#[test]
fn the_schema_file_equals_what_the_migrations_make() {
    for whose in ["appliance", "hub"] {
        let all = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations"));
        let folder = all.join(whose);
        let made = as_migrated(&folder);
        let file = folder.join("schema.sql");
        if std::env::var_os(WRITE).is_some() {
            fs::write(&file, &made).unwrap();
        }
        let written = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            written == made,
            "run `{WRITE}=1 cargo nextest run -p tests schema` and look at the difference"
        );
    }
}
