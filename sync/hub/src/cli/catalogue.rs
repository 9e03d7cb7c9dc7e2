//! `carepost-hub clinic catalogue`.

use std::fs::{File, metadata};
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use sync_protocol::ask::Reply;

use super::say;
use crate::catalogue::{self, CATALOGUE_BYTES_MAX, CatalogueError};
use crate::hub::Hub;
use crate::store::Clinic;

const ASKED: &str = "The box takes the list when it asks next. What is new there cannot be booked before somebody at the clinic accepts it. The same command said again tells what the box answered.\n";

/// Asks the box of a clinic to take the list in a file, and says what it answered.
pub fn run(hub: &Hub, clinic: &Clinic, file: &Path, as_json: bool) -> anyhow::Result<()> {
    let bundle = read(file).with_context(|| format!("{} cannot be taken", file.display()))?;
    let Some(Reply { id: _, status, body, before: _ }) = catalogue::ask(hub, clinic.id, bundle)?
    else {
        return if as_json { say("{\"answered\":false}\n") } else { say(ASKED) };
    };
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if as_json {
        let told = json!({ "answered": true, "status": status, "body": body });
        return say(&format!("{told}\n"));
    }
    if status != 200 {
        let why = body["issue"][0]["diagnostics"].as_str().unwrap_or("it does not say why");
        bail!("the box refused this list (status {status}): {why}");
    }
    let parts = body["parameter"].as_array().map(Vec::as_slice).unwrap_or_default();
    let part =
        |it: &Value| Some(format!("{} {}", it["valueInteger"].as_i64()?, it["name"].as_str()?));
    let parts: Vec<String> = parts.iter().filter_map(part).collect();
    say(&format!("The box has taken this list: {}.\n", parts.join(", ")))
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    if metadata(file)?.len() > CATALOGUE_BYTES_MAX as u64 {
        return Err(CatalogueError::TooLong.into());
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(CATALOGUE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
