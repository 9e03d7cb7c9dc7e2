//! `carepost user`.

use clap::{Args, Subcommand};
use prm::staff::{self, Addition, Edit};
use prm::stamp::{Role, Stamp};

use super::Place;
use super::terminal::{password, say};
use super::usage;
use crate::app::open_db;
use crate::clock::Clock;

#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Adds a member of staff; the password is read from stdin.
    Add(Add),
    /// Lists everybody.
    List(Place),
    /// Keeps somebody out, at once.
    Disable(Named),
    /// Sets a new password, read from stdin; ends the person's sessions.
    Reset(Named),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    place: Place,
    /// What they type to sign in.
    #[arg(long)]
    username: String,
    /// Their name; without it the user name.
    #[arg(long)]
    name: Option<String>,
    /// admin, clerk, practitioner or auditor.
    #[arg(long, value_parser = usage::role)]
    role: Role,
}

#[derive(Debug, Args)]
pub(super) struct Named {
    #[command(flatten)]
    place: Place,
    /// What they type to sign in.
    #[arg(long)]
    username: String,
}

impl User {
    pub(super) fn run(self, clock: &Clock) -> anyhow::Result<()> {
        let stamp = Stamp::of_box(clock.now());
        match self {
            Self::Add(Add { place, username, name, role }) => {
                let db = open_db(&place.data)?;
                let password = staff::hash_password(&password()?)?;
                let name = name.unwrap_or_else(|| username.clone());
                let addition = Addition { username, name, role, practitioner: None, password };
                let added = db.write_blocking(move |tx| staff::add(tx, &stamp, addition))?;
                say(&format!("{}\n", added.id))
            }
            Self::List(place) => {
                let db = open_db(&place.data)?;
                let mut text = String::new();
                for person in db.read_blocking(|read| staff::list(read, &stamp))? {
                    let state = if person.disabled { "disabled" } else { "active" };
                    let role = person.role.as_str();
                    text.push_str(&format!(
                        "{}\t{}\t{role}\t{state}\t{}\n",
                        person.id, person.username, person.name
                    ));
                }
                say(&text)
            }
            Self::Disable(Named { place, username }) => {
                let edit = Edit { disabled: Some(true), ..Edit::default() };
                change(&place, username, stamp, edit)
            }
            Self::Reset(Named { place, username }) => {
                let password = staff::hash_password(&password()?)?;
                change(
                    &place,
                    username,
                    stamp,
                    Edit { password: Some(password), ..Edit::default() },
                )
            }
        }
    }
}

fn change(place: &Place, username: String, stamp: Stamp, edit: Edit) -> anyhow::Result<()> {
    let db = open_db(&place.data)?;
    let person = db.write_blocking(move |tx| {
        let id = staff::named(tx, &stamp, &username)?.id;
        staff::edit(tx, &stamp, id, None, edit)
    })?;
    say(&format!("{}\n", person.id))
}
