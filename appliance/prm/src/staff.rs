//! Staff: the people who work here, what they may do, and how they sign in.
//!
//! Invariant: there is always an administrator who can sign in.
//! Invariant: wrong passwords are counted for a user name together with the place they come
//! from, so that nobody can lock out somebody else.

mod colleague;
mod password;
mod session;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use zeroize::Zeroizing;

pub(crate) use self::colleague::must_have;
pub use self::colleague::{Colleague, who_may};
pub use self::password::{begin_password_change, change_password, oneself, password_change_failed};
pub use self::session::{
    Attempt, SESSION_MINUTES, SESSIONS_MAX, begin_sign_in, session, sign_in, sign_in_failed,
    sign_out,
};
use crate::change::next_version;
use crate::contact;
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{Noun, PractitionerId, StaffId};
use crate::stamp::{Right, Role, Stamp};

/// The shortest password, in letters.
pub const PASSWORD_LETTERS_MIN: usize = 8;
/// The longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// The longest user name, in letters.
pub const USERNAME_LETTERS_MAX: usize = 64;
/// People that one box knows, disabled ones included.
pub const STAFF_MAX: i64 = 2_000;
/// Memory that one password hash takes, in KiB (with two passes and one lane: OWASP's second
/// choice, fit for small machines).
pub const HASH_MEMORY_KIB: u32 = 19_456;

/// The roles that people have; the others are those of programs and devices.
pub const ROLES: [Role; 4] = [Role::Admin, Role::Clerk, Role::Practitioner, Role::Auditor];

/// A member of staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// The id.
    pub id: StaffId,
    /// Grows with each edit.
    pub version: i64,
    /// What they type to sign in; capital and small letters are the same.
    pub username: String,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Which practitioner they are, if one.
    pub practitioner: Option<PractitionerId>,
    /// Whether they are kept out.
    pub disabled: bool,
}

/// A password as it is kept: argon2id, salted.
#[derive(Clone)]
pub struct PasswordHash(String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Refuses a password that nobody may have. `field` is where it was said.
pub fn check_new_password(field: &'static str, password: &str) -> Result<()> {
    if password.chars().count() < PASSWORD_LETTERS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(Error::invalid(
            field,
            format!(
                "a password has at least {PASSWORD_LETTERS_MIN} letters and at most {PASSWORD_BYTES_MAX} bytes"
            ),
        ));
    }
    Ok(())
}

/// Checks and hashes a new password. This takes some hundredths of a second on purpose: never
/// inside a transaction.
pub fn hash_password(password: &str) -> Result<PasswordHash> {
    check_new_password("password", password)?;
    argon2()?
        .hash_password(password.as_bytes())
        .map(|hash| PasswordHash(hash.to_string()))
        .map_err(|error| Error::Storage(format!("the password cannot be hashed: {error}")))
}

/// A password made up for somebody, to be told to them once.
pub fn made_up_password() -> Result<Zeroizing<String>> {
    let digits = Zeroizing::new(crate::secret::digits(16)?);
    let groups: Vec<&str> = (0..4).filter_map(|at| digits.get(at * 4..at * 4 + 4)).collect();
    Ok(Zeroizing::new(groups.join("-")))
}

/// What is said to add somebody.
#[derive(Clone, Debug)]
pub struct Addition {
    /// What they type to sign in.
    pub username: String,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Which practitioner they are, if one.
    pub practitioner: Option<PractitionerId>,
    /// Their first password.
    pub password: PasswordHash,
}

/// What is to be changed; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// Their name.
    pub name: Option<String>,
    /// What they may do.
    pub role: Option<Role>,
    /// Which practitioner they are; `Some(None)` for none.
    pub practitioner: Option<Option<PractitionerId>>,
    /// Whether they are kept out.
    pub disabled: Option<bool>,
    /// A new password.
    pub password: Option<PasswordHash>,
}

/// Adds a member of staff.
pub fn add(tx: &mut Tx<'_>, stamp: &Stamp, addition: Addition) -> Result<Staff> {
    stamp.needs(Right::ManageStaff)?;
    let Addition { username, name, role, practitioner, password } = addition;
    let username = checked_username(&username)?;
    let name = contact::name("name", &name)?;
    must_be_for_people(role)?;
    must_exist(tx, practitioner)?;
    let sql = tx.sql();
    if sql.prepare_cached("SELECT 1 FROM staff WHERE username = ?1")?.exists([&username])? {
        return Err(Error::refused(
            Code::NameTaken,
            "somebody has this user name already; choose another",
        ));
    }
    let known: i64 = sql.query_row("SELECT count(*) FROM staff", [], |row| row.get(0))?;
    if known >= STAFF_MAX {
        return Err(Error::refused(Code::TooMany, format!("there are {STAFF_MAX} people already")));
    }
    let id = StaffId::new(stamp.now);
    sql.prepare_cached(
        "INSERT INTO staff (id, version, username, name, role, practitioner, password_hash, disabled)
         VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, 0)",
    )?
    .execute((id, &username, &name, role.as_str(), practitioner, &password.0))?;
    tx.record(stamp, "add", (Noun::Staff, id.as_bytes(), 1), None)?;
    Ok(Staff { id, version: 1, username, name, role, practitioner, disabled: false })
}

/// Changes a member of staff. A new password and being disabled end their sessions.
pub fn edit(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: StaffId,
    seen: Option<i64>,
    edit: Edit,
) -> Result<Staff> {
    stamp.needs(Right::ManageStaff)?;
    let before = get(tx, stamp, id)?;
    let version = next_version(before.version, seen)?;
    let Edit { name, role, practitioner, disabled, password } = edit;
    let name = match name {
        Some(name) => contact::name("name", &name)?,
        None => before.name,
    };
    let role = role.unwrap_or(before.role);
    must_be_for_people(role)?;
    let practitioner = practitioner.unwrap_or(before.practitioner);
    must_exist(tx, practitioner)?;
    let disabled = disabled.unwrap_or(before.disabled);
    let was_admin = before.role == Role::Admin && !before.disabled;
    if was_admin && (role != Role::Admin || disabled) {
        let other = "SELECT 1 FROM staff WHERE role = 'admin' AND disabled = 0 AND id <> ?1";
        if !tx.sql().prepare_cached(other)?.exists([id])? {
            return Err(Error::refused(
                Code::LastAdmin,
                "this is the last administrator; make somebody else administrator first",
            ));
        }
    }
    tx.sql()
        .prepare_cached(
            "UPDATE staff SET version = ?2, name = ?3, role = ?4, practitioner = ?5, disabled = ?6,
                    password_hash = coalesce(?7, password_hash) WHERE id = ?1",
        )?
        .execute((
            id,
            version,
            &name,
            role.as_str(),
            practitioner,
            disabled,
            password.as_ref().map(|hash| &hash.0),
        ))?;
    if disabled || password.is_some() {
        tx.sql().prepare_cached("DELETE FROM session WHERE staff = ?1")?.execute([id])?;
    }
    let verb = if password.is_some() { "reset_password" } else { "edit" };
    tx.record(stamp, verb, (Noun::Staff, id.as_bytes(), version), None)?;
    Ok(Staff { id, version, username: before.username, name, role, practitioner, disabled })
}

/// One member of staff.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: StaffId) -> Result<Staff> {
    stamp.needs(Right::ManageStaff)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, username, name, role, practitioner, disabled FROM staff WHERE id = ?1",
    )?;
    let mut rows = statement.query([id])?;
    from_row(rows.next()?.ok_or(Error::NotFound(Noun::Staff))?)
}

/// The member of staff with this user name.
pub fn named(read: &Read<'_>, stamp: &Stamp, username: &str) -> Result<Staff> {
    stamp.needs(Right::ManageStaff)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, username, name, role, practitioner, disabled
         FROM staff WHERE username = ?1",
    )?;
    let mut rows = statement.query([username.trim()])?;
    from_row(rows.next()?.ok_or(Error::NotFound(Noun::Staff))?)
}

/// Everybody, by name.
pub fn list(read: &Read<'_>, stamp: &Stamp) -> Result<Vec<Staff>> {
    stamp.needs(Right::ManageStaff)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, username, name, role, practitioner, disabled
         FROM staff ORDER BY name, id",
    )?;
    let mut rows = statement.query([])?;
    let mut staff = Vec::new();
    while let Some(row) = rows.next()? {
        staff.push(from_row(row)?);
    }
    Ok(staff)
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(HASH_MEMORY_KIB, 2, 1, None)
        .map_err(|error| Error::Storage(format!("argon2: {error}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn fits(password: &str, hash: &str) -> bool {
    password.len() <= PASSWORD_BYTES_MAX
        && argon2().is_ok_and(|argon2| argon2.verify_password(password.as_bytes(), hash).is_ok())
}

fn checked_username(text: &str) -> Result<String> {
    let text = text.trim();
    let letter = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    if text.is_empty() || text.chars().count() > USERNAME_LETTERS_MAX || !text.chars().all(letter) {
        return Err(Error::invalid(
            "username",
            format!("a user name has 1 to {USERNAME_LETTERS_MAX} letters, digits or . _ - @"),
        ));
    }
    Ok(text.to_lowercase())
}

fn must_be_for_people(role: Role) -> Result<()> {
    if ROLES.contains(&role) {
        return Ok(());
    }
    let words = ROLES.map(|role| role.as_str()).join(", ");
    Err(Error::invalid("role", format!("the role of a person is one of {words}")))
}

fn must_exist(read: &Read<'_>, practitioner: Option<PractitionerId>) -> Result<()> {
    let Some(id) = practitioner else { return Ok(()) };
    let mut statement = read.sql().prepare_cached("SELECT 1 FROM practitioner WHERE id = ?1")?;
    if statement.exists([id])? { Ok(()) } else { Err(Error::NotFound(Noun::Practitioner)) }
}

fn from_row(row: &rusqlite::Row<'_>) -> Result<Staff> {
    Ok(Staff {
        id: row.get(0)?,
        version: row.get(1)?,
        username: row.get(2)?,
        name: row.get(3)?,
        role: Role::parse(&row.get::<_, String>(4)?)?,
        practitioner: row.get(5)?,
        disabled: row.get(6)?,
    })
}

#[cfg(test)]
mod tests;
