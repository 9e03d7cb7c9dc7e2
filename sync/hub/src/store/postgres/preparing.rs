//! Making a PostgreSQL database ready: the role that owns the tables, the role of the program, the
//! tables in their newest format, and row-level security on all that belong to clinics.
//!
//! Runs as an administrator, again for each newer format; in one transaction.

use postgres_protocol::password::scram_sha_256;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::address::Address;
use super::pool::Driver;
use super::{OWNER, SCHEMA, fault};
use crate::store::migration::{LATEST, MIGRATIONS, to_postgres};
use crate::store::{StoreError, Stored};

/// One who prepares at a time; any number that nobody else locks.
const LOCK: i64 = 0x0043_4152_4550_4f53;

/// Makes the database ready as `admin`, for the role that `program` names; that role is made if it is
/// not there. Done twice, it changes nothing.
///
/// # Errors
/// If the two are not addresses of one database, the administrator may not do it, or a newer program
/// was here; then nothing was changed.
pub fn prepare(admin: &Address, program: &Address) -> Stored<()> {
    if admin.database() != program.database() {
        return Err(StoreError::Unfit(
            "--admin and --database name two databases; name the same one in both".to_owned(),
        ));
    }
    if admin.role() == program.role() {
        return Err(StoreError::Unfit(
            "the hub may not run as the administrator; name another role in --database".to_owned(),
        ));
    }
    let driver = Driver::start()?;
    let client = driver.connect(admin)?;
    let (role, password) = (program.role().to_owned(), program.config().get_password());
    // What PostgreSQL keeps of a password; so the password itself is in no log of the server.
    let verifier = password.map(scram_sha_256);
    let database = admin.database().to_owned();
    driver.wait(async move {
        let done = all(&client, &role, verifier.as_deref(), &database).await;
        let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
        done.and(client.batch_execute(end).await.map_err(fault))
    })?
}

async fn all(client: &Client, role: &str, verifier: Option<&str>, database: &str) -> Stored<()> {
    run(client, format!("BEGIN; SELECT pg_advisory_xact_lock({LOCK})")).await?;
    make_roles(client, role, verifier).await?;
    let (role, database) = (quoted(role), quoted(database));
    run(
        client,
        format!(
            "CREATE SCHEMA IF NOT EXISTS {SCHEMA} AUTHORIZATION {OWNER};
             GRANT CONNECT ON DATABASE {database} TO {role};
             SET LOCAL ROLE {OWNER}; SET LOCAL search_path = {SCHEMA};
             CREATE TABLE IF NOT EXISTS format (version BIGINT NOT NULL);
             INSERT INTO format SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM format)"
        ),
    )
    .await?;
    migrate(client).await?;
    protect(client, &role).await
}

async fn make_roles(client: &Client, role: &str, verifier: Option<&str>) -> Stored<()> {
    let is_super = "SELECT 1 FROM pg_roles WHERE rolname = current_user AND rolsuper";
    if words(client, &format!("SELECT 1 FROM pg_roles WHERE rolname = '{OWNER}'")).await?.is_empty()
    {
        run(client, format!("CREATE ROLE {OWNER} NOLOGIN NOBYPASSRLS")).await?;
    }
    if words(client, is_super).await?.is_empty() {
        run(client, format!("GRANT {OWNER} TO CURRENT_USER")).await?;
    }
    let there = format!("SELECT 1 FROM pg_roles WHERE rolname = {}", literal(role));
    if words(client, &there).await?.is_empty() {
        let password = verifier.map_or(String::new(), |it| format!(" PASSWORD {}", literal(it)));
        let may_not = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOREPLICATION";
        run(client, format!("CREATE ROLE {} LOGIN {may_not}{password}", quoted(role))).await?;
    }
    Ok(())
}

/// Brings the tables to the newest format. Meanwhile their owner sees all rows, so that a migration
/// can move what is in them.
async fn migrate(client: &Client) -> Stored<()> {
    let found = words(client, "SELECT version FROM format").await?;
    let found: i64 = found.first().and_then(|it| it.parse().ok()).unwrap_or(0);
    if found > LATEST {
        return Err(StoreError::Newer("the database".to_owned()));
    }
    for table in words(client, &tables("true")).await? {
        run(client, format!("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY", quoted(&table))).await?;
    }
    for (to, migration) in (1..).zip(MIGRATIONS) {
        if to > found {
            run(client, to_postgres(migration)).await?;
        }
    }
    run(client, format!("UPDATE format SET version = {LATEST}")).await
}

/// Lets the program's role do its work: with the rows of the clinic that a transaction was begun for,
/// and with the views, which see through the eyes of the owner. A table that belongs to no clinic is
/// for reading only.
async fn protect(client: &Client, role: &str) -> Stored<()> {
    run(client, format!("GRANT USAGE ON SCHEMA {SCHEMA} TO {role}")).await?;
    for view in words(client, &relations("v", "true")).await? {
        run(client, format!("GRANT SELECT ON {} TO {role}", quoted(&view))).await?;
    }
    for table in words(client, &tables("true")).await? {
        run(client, format!("GRANT SELECT ON {} TO {role}", quoted(&table))).await?;
    }
    let of_clinics = "EXISTS (SELECT 1 FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attname = 'clinic' AND NOT a.attisdropped)";
    for table in words(client, &tables(&format!("c.relname = 'clinic' OR {of_clinics}"))).await? {
        let column = if table == "clinic" { "id" } else { "clinic" };
        let table = quoted(&table);
        run(
            client,
            format!(
                "GRANT INSERT, UPDATE, DELETE ON {table} TO {role};
                 DROP POLICY IF EXISTS own_clinic ON {table};
                 CREATE POLICY own_clinic ON {table} USING
                   ({column} = decode(nullif(current_setting('carepost.clinic', true), ''), 'hex'));
                 DROP POLICY IF EXISTS views ON {table};
                 CREATE POLICY views ON {table} FOR SELECT TO {OWNER} USING (true);
                 ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
                 ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
            ),
        )
        .await?;
    }
    Ok(())
}

fn tables(which: &str) -> String {
    relations("r", which)
}

fn relations(kind: &str, which: &str) -> String {
    format!(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = '{SCHEMA}' AND c.relkind = '{kind}' AND ({which}) ORDER BY c.relname"
    )
}

async fn run(client: &Client, statements: String) -> Stored<()> {
    client.batch_execute(&statements).await.map_err(fault)
}

/// The first column of each row.
async fn words(client: &Client, query: &str) -> Stored<Vec<String>> {
    let told = client.simple_query(query).await.map_err(fault)?;
    let word = |it: &SimpleQueryMessage| {
        let SimpleQueryMessage::Row(row) = it else { return None };
        row.get(0).map(str::to_owned)
    };
    Ok(told.iter().filter_map(word).collect())
}

/// A name as it stands in a statement.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Text as it stands in a statement.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
