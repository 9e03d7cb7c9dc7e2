//! Both databases have the same tables, and the clinic leads their keys.

use std::collections::BTreeSet;

use super::hub::Place;

/// Unique among all clinics: what a person says to find one, and what no two clinics may share.
const ACROSS_CLINICS: [&str; 5] =
    ["clinic(id)", "clinic(lower(name))", "box(hardware)", "box(sign_key)", "channel_name(name)"];

/// Columns as `table.column type null`, of SQLite.
fn columns_of_sqlite() -> BTreeSet<String> {
    let database = rusqlite::Connection::open_in_memory().unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/hub");
    database
        .execute_batch(&std::fs::read_to_string(format!("{folder}/schema.sql")).unwrap())
        .unwrap();
    let sql = "SELECT t.name || '.' || c.name || ' ' || c.type || ' ' ||
          (CASE WHEN c.\"notnull\" OR c.pk THEN 'needed' ELSE 'may lack' END) || ' ' || c.pk
        FROM pragma_table_list t, pragma_table_info(t.name) c
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'";
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(|it| it.unwrap().replace(" INTEGER ", " BIGINT ").replace(" BLOB ", " BYTEA "))
        .collect()
}

#[tokio::test]
async fn postgresql_has_the_tables_of_sqlite() {
    let place = Place::new();
    let sql = "SELECT c.relname || '.' || a.attname || ' ' ||
          (CASE format_type(a.atttypid, NULL) WHEN 'bigint' THEN 'BIGINT' WHEN 'bytea' THEN 'BYTEA'
            WHEN 'text' THEN 'TEXT' ELSE format_type(a.atttypid, NULL) END) || ' ' ||
          (CASE WHEN a.attnotnull THEN 'needed' ELSE 'may lack' END) || ' ' ||
          coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
          LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
        WHERE c.relnamespace = 'carepost'::regnamespace AND c.relkind = 'r'
          AND c.relname <> 'format' AND NOT a.attisdropped";
    let found = place.cluster.as_ref().unwrap().ask("postgres", "carepost", sql).unwrap();
    let found: BTreeSet<String> = found.into_iter().flatten().collect();
    assert!(found.contains("record.body BYTEA needed 0"), "{found:?}");
    assert_eq!(found, columns_of_sqlite());
}

#[tokio::test]
async fn the_clinic_leads_every_key_but_those_across_clinics() {
    let place = Place::new();
    let sql =
        "SELECT c.relname, pg_get_indexdef(i.indexrelid, 1, true), pg_get_indexdef(i.indexrelid)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        WHERE c.relnamespace = 'carepost'::regnamespace AND i.indisunique";
    let found = place.cluster.as_ref().unwrap().ask("postgres", "carepost", sql).unwrap();
    let across: BTreeSet<String> = found
        .iter()
        .filter(|row| row[1] != "clinic")
        .map(|row| format!("{}({})", row[0], row[1]))
        .collect();
    assert_eq!(across, ACROSS_CLINICS.map(str::to_owned).into());
    assert!(found.len() > across.len());
}
