//! Changing one's own password: the present one is shown once more, and tries at it are counted
//! together with the tries to sign in.

use super::{Attempt, PasswordHash, begin_sign_in, sign_in};
use crate::change::next_version;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{Noun, StaffId};
use crate::secret::{self, Secret};
use crate::stamp::{Actor, Role, Stamp};

/// The member of staff who acts; refused to everybody who is none.
pub fn oneself(stamp: &Stamp) -> Result<StaffId> {
    match (stamp.actor, stamp.role) {
        (Actor::Staff(id), _) => Ok(id),
        (_, Role::Nobody) => Err(Error::Unknown),
        (Actor::Device(_) | Actor::Token(_) | Actor::Box | Actor::Nobody, _) => {
            Err(Error::Forbidden)
        }
    }
}

/// Counts a try to change one's own password from `source` (an address), before the present one
/// is looked at. Refuses while the wait after wrong ones lasts.
pub fn begin_password_change(tx: &mut Tx<'_>, stamp: &Stamp, source: &str) -> Result<Attempt> {
    let id = oneself(stamp)?;
    let username: String = {
        let mut statement =
            tx.sql().prepare_cached("SELECT username FROM staff WHERE id = ?1 AND disabled = 0")?;
        let mut rows = statement.query([id])?;
        rows.next()?.ok_or(Error::Unknown)?.get(0)?
    };
    begin_sign_in(tx, stamp, &username, source)
}

/// Writes to the audit that the present password which was shown was not the right one.
pub fn password_change_failed(tx: &mut Tx<'_>, stamp: &Stamp) -> Result<()> {
    let id = oneself(stamp)?;
    tx.audit(stamp, "change_password_failed", Noun::Staff, Some(id.as_bytes()), None)
}

/// Changes one's own password after the present one was found to fit `attempt`. All sessions of
/// the person end; answers the secret of the new one that begins.
pub fn change_password(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    attempt: &Attempt,
    password: &PasswordHash,
) -> Result<Secret> {
    let id = oneself(stamp)?;
    // Refuses if the password was changed, or the person disabled, since it was looked at.
    let (person, session) = sign_in(tx, stamp, attempt)?;
    if person.id != id {
        return Err(Error::Forbidden);
    }
    let version = next_version(person.version, None)?;
    tx.sql()
        .prepare_cached("UPDATE staff SET version = ?2, password_hash = ?3 WHERE id = ?1")?
        .execute((id, version, &password.0))?;
    tx.sql()
        .prepare_cached("DELETE FROM session WHERE staff = ?1 AND token_hash <> ?2")?
        .execute((id, secret::hash(session.text())))?;
    tx.record(stamp, "change_password", (Noun::Staff, id.as_bytes(), version), None)?;
    Ok(session)
}
