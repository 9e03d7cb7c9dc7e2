//! `carepost-hub keys ...`.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Place, say};
use crate::master::rotate;
use crate::store::IfMissing;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Gives the hub a new master key while it serves, and removes the old one; interrupted, do it again.
    /// Older copies of the database then open only with an older copy of the keys folder.
    Rotate(Rotate),
}

#[derive(Debug, Args)]
pub struct Rotate {
    #[command(flatten)]
    place: Place,
    /// For programs.
    #[arg(long)]
    json: bool,
}

impl Verb {
    pub fn run(self) -> anyhow::Result<()> {
        let Self::Rotate(Rotate { place, json }) = self;
        let clinics = rotate(&place.open(IfMissing::Refuse)?)?;
        if json {
            return say(&format!("{}\n", json!({ "clinics": clinics })));
        }
        say(&format!(
            "The hub has a new master key; it wraps the keys of {clinics} clinics. Make a copy of the keys folder.\n"
        ))
    }
}
