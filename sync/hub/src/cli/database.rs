//! `carepost-hub database ...`.

use clap::{Args, Subcommand};

use super::{Unread, say};
use crate::store::prepare;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Makes a PostgreSQL database ready, or brings it to the format of this program: tables, the role
    /// that owns them, and the role that the hub runs as, which sees one clinic at a time.
    Prepare(Prepare),
}

#[derive(Debug, Args)]
pub struct Prepare {
    /// An administrator, who may make roles and schemas: postgres://ADMIN:PASSWORD@HOST/DATABASE. Used
    /// by this command only.
    #[arg(long, env = "CAREPOST_HUB_ADMIN", value_name = "URL", hide_env_values = true)]
    admin: Unread,
    /// The database as the hub will name it: its role is made, with this password, if it is not there.
    #[arg(long, env = "CAREPOST_HUB_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Unread,
}

impl Verb {
    pub fn run(self) -> anyhow::Result<()> {
        let Self::Prepare(Prepare { admin, database }) = self;
        let (admin, database) = (admin.read("--admin")?, database.read("--database")?);
        prepare(&admin, &database)?;
        say(&format!(
            "The database {} is ready for the role {}.\n",
            database.database(),
            database.role()
        ))
    }
}
