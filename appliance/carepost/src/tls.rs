//! HTTPS on the clinic's own network: the box's certificate authority, the certificate it
//! issues to itself, and what a tablet needs to trust it.
//!
//! Invariant: nothing here reads the clock; time is an argument.
//! Invariant: the authority can vouch for this box and private addresses only, even in the
//! hands of a thief; clients enforce its name constraints.

mod authority;
mod leaf;
#[cfg(test)]
mod tests;
mod trust;

use std::io;
use std::path::PathBuf;

pub(crate) use authority::is_local;
pub use authority::{Authority, init_ca};
pub use leaf::{ADDRESSES_MAX, LanCertificate, local_addresses, server_config};
pub use trust::{FINGERPRINT_WORDS, Fingerprint, mobileconfig};

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// An authority is there already; a new one would make every tablet distrust the box.
    #[error("{} exists already; a new authority would have to be trusted on every tablet again, so delete it by hand if you mean it", .0.display())]
    Exists(PathBuf),
    /// A file cannot be read or written.
    #[error("{}: {source}; check that the folder exists, is writable and has room", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the authority is not there, or may not be read.
    #[error("{} cannot be read ({why}); put back the keys folder, or restore a backup", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{} is damaged ({why}); restore the folder `keys` from a backup", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The box's id cannot be part of a host name.
    #[error(
        "the box's id {0:?} cannot be in a host name; use 1 to 40 small letters, digits and hyphens"
    )]
    BadId(String),
    /// The authority has no time left.
    #[error(
        "the certificate authority ended on {0}; check the clock, or make a new one and trust it on every tablet"
    )]
    Ended(jiff::Timestamp),
    /// The libraries refused to make a key or a certificate.
    #[error("no certificate could be made: {0}")]
    NotMade(String),
}

impl From<rcgen::Error> for TlsError {
    fn from(error: rcgen::Error) -> Self {
        Self::NotMade(error.to_string())
    }
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self::NotMade(error.to_string())
    }
}
