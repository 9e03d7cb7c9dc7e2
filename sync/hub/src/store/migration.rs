//! How the database came to be what it is: `migrations/hub`, for both databases.
//!
//! They are written for SQLite and translated for PostgreSQL, so that there is one text that can be
//! wrong and not two that can differ. What the translation knows is all that they may use.

/// The migrations in order; never edited once they have run on a hub.
pub const MIGRATIONS: [&str; 8] = [
    include_str!("../../../../migrations/hub/0001_clinic.sql"),
    include_str!("../../../../migrations/hub/0002_overview.sql"),
    include_str!("../../../../migrations/hub/0003_request.sql"),
    include_str!("../../../../migrations/hub/0004_loan.sql"),
    include_str!("../../../../migrations/hub/0005_token.sql"),
    include_str!("../../../../migrations/hub/0006_relay.sql"),
    include_str!("../../../../migrations/hub/0007_media.sql"),
    include_str!("../../../../migrations/hub/0008_away.sql"),
];

/// The newest format.
pub const LATEST: i64 = MIGRATIONS.len() as i64;

/// What SQLite says otherwise than PostgreSQL, and how that says it.
const OTHERWISE: [(&str, &str); 4] = [
    (") STRICT, WITHOUT ROWID;", ");"),
    (") STRICT;", ");"),
    (" INTEGER", " BIGINT"),
    (" BLOB", " BYTEA"),
];

/// A migration in the words of PostgreSQL. What is in none of ours (`AUTOINCREMENT`, `COLLATE NOCASE`)
/// stays as it is, and PostgreSQL refuses it.
pub fn to_postgres(migration: &str) -> String {
    let translated = |line: &str| {
        if line.trim_start().starts_with("--") {
            return line.to_owned();
        }
        OTHERWISE.iter().fold(line.to_owned(), |line, (from, to)| line.replace(from, to))
    };
    migration.lines().map(translated).collect::<Vec<_>>().join("\n")
}
