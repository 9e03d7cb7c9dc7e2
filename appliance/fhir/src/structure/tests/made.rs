//! The committed tables are those that the scripts of `tests/fhir` make from HL7's definitions, and
//! HL7's own expressions say of the invariants' cases what the rules say.

use std::process::Command;

use super::examples::{FOLDER, package};

#[test]
fn the_tables_and_the_rules_are_what_hl7_defines() {
    if package().is_none() {
        return;
    }
    let tables = ["structure.mjs", "parameters.mjs", "search.mjs"].map(|it| vec![it, "--check"]);
    for script in tables.into_iter().chain([vec!["invariants.mjs"]]) {
        let output = Command::new("node").args(&script).current_dir(FOLDER).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", script[0]);
    }
}
