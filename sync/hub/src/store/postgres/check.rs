//! Whether a database and the role that signed in are fit for the hub.
//!
//! Row-level security holds for whoever is neither a superuser, nor may bypass it, nor owns the tables.
//! A program that runs as one of these would work, and nothing would keep two clinics apart but our
//! own `WHERE`: so it does not run.

use super::transaction::Transaction;
use super::value::Number;
use super::{SCHEMA, fault};
use crate::store::migration::LATEST;
use crate::store::sql::{Param, params};
use crate::store::{StoreError, Stored};

/// What makes it fit, as it is typed.
const PREPARE: &str = "carepost-hub database prepare --admin postgres://ADMIN:PASSWORD@HOST/DATABASE --database postgres://ROLE:PASSWORD@HOST/DATABASE";

/// Tables of the schema of which row-level security is not forced, though they belong to clinics.
const UNPROTECTED: &str =
    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'carepost' AND c.relkind IN ('r', 'p')
      AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
      AND (c.relname = 'clinic' OR EXISTS (SELECT 1 FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attname = 'clinic' AND NOT a.attisdropped))";

/// Tables and views of the schema whose owner the role is, or may become.
const OWNED: &str = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'carepost' AND pg_has_role(current_user, c.relowner, 'MEMBER')";

/// Refuses what is not fit, and says what to do.
pub fn fit(tx: &Transaction<'_>) -> Stored<()> {
    let unfit = |what: String| Err(StoreError::Unfit(what));
    let passes = "SELECT count(*) FROM pg_roles
        WHERE rolname = current_user AND (rolsuper OR rolbypassrls)";
    if number(tx, passes, &[])? > 0 {
        return unfit(format!(
            "this role is a superuser or may bypass row-level security, which keeps the clinics apart; use one that {PREPARE} makes"
        ));
    }
    let there = format!("{SCHEMA}.format");
    let tables = "SELECT count(*) FROM (SELECT to_regclass(?1) AS it) found WHERE it IS NOT NULL";
    let may_use = "SELECT count(*) FROM pg_namespace
        WHERE nspname = 'carepost' AND has_schema_privilege(oid, 'USAGE')";
    if number(tx, may_use, &[])? == 0 || number(tx, tables, params![&there])? == 0 {
        return unfit(format!(
            "there is no hub in this database, or not for this role; run: {PREPARE}"
        ));
    }
    let found = number(tx, "SELECT version FROM format", &[])?;
    if found > LATEST {
        return Err(StoreError::Newer("the database".to_owned()));
    }
    if found < LATEST {
        return unfit(format!(
            "the database has format {found} and this program needs {LATEST}; run: {PREPARE}"
        ));
    }
    if number(tx, OWNED, &[])? > 0 {
        return unfit(format!(
            "this role owns the hub's tables, or belongs to the role that does, and so could pass by what keeps the clinics apart; use one that {PREPARE} makes"
        ));
    }
    if number(tx, UNPROTECTED, &[])? > 0 {
        return unfit(format!(
            "row-level security, which keeps the clinics apart, is not forced on all tables; run: {PREPARE}"
        ));
    }
    Ok(())
}

fn number(tx: &Transaction<'_>, sql: &str, params: &[Param<'_>]) -> Stored<i64> {
    let found = tx.query(sql, params)?;
    let Some(row) = found.first() else { return Ok(0) };
    Ok(row.try_get::<_, Number>(0).map_err(fault)?.into())
}
