//! SMART's scopes: what a program may do with resources of each type.
//!
//! Source: <https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html> (2.2). Only `system/`
//! scopes are known, because programs ask without a person. Those of version 1 (`.read`, `.write`, `.*`)
//! mean what version 2 writes as `rs`, `cud` and `cruds`.
//! Invariant: a scope that is narrowed by a search (`?category=...`) is not known, so it is never granted
//! as if it were the whole one.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::LazyLock;

use crate::capability::Interaction;
use crate::outcome::{IssueCode, Outcome};
use crate::search::Query;
use crate::structure;

/// The longest list of scopes, in bytes.
pub const SCOPES_BYTES_MAX: usize = 8 * 1024;
/// Types that there is room for; R4 has fewer, which the tests say.
const TYPES_MAX: usize = 160;
/// What every scope that is known begins with.
const SYSTEM: &str = "system/";
/// How a refusal begins that ends with the scope that is missing.
const LACKS: &str = "this token lacks the scope ";

/// All types of R4, in the order of the alphabet: the place of one is its place in [`Scopes`].
static TYPES: LazyLock<Vec<&'static str>> = LazyLock::new(|| structure::each_type().collect());

/// One of the five things that a scope lets a program do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Making a new resource.
    Create,
    /// Reading one resource in any of its versions.
    Read,
    /// Changing one resource, in whole or in part.
    Update,
    /// Deleting one.
    Delete,
    /// Searching resources of the type, and the versions of all of them.
    Search,
}

impl Permission {
    /// All of them, in the order in which a scope writes them.
    pub const ALL: [Self; 5] = [Self::Create, Self::Read, Self::Update, Self::Delete, Self::Search];

    /// The letter for it in a scope.
    pub fn letter(self) -> char {
        match self {
            Self::Create => 'c',
            Self::Read => 'r',
            Self::Update => 'u',
            Self::Delete => 'd',
            Self::Search => 's',
        }
    }

    /// What an interaction needs.
    pub fn of(interaction: Interaction) -> Self {
        match interaction {
            Interaction::Create => Self::Create,
            Interaction::Read | Interaction::Vread | Interaction::HistoryInstance => Self::Read,
            Interaction::Update | Interaction::Patch => Self::Update,
            Interaction::Delete => Self::Delete,
            Interaction::SearchType | Interaction::HistoryType => Self::Search,
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The scope that lets a program do this with resources of a type.
pub fn wanted(type_: &str, permission: Permission) -> String {
    format!("{SYSTEM}{type_}.{}", permission.letter())
}

/// The scope for want of which something was refused, if it was for that.
pub fn missing(outcome: &Outcome) -> Option<&str> {
    outcome.issues.first()?.diagnostics.strip_prefix(LACKS)
}

/// Why a text is no scope that is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// There is none.
    #[error("no scope is said; write for example system/Patient.rs")]
    Nothing,
    /// There are too many.
    #[error("the scopes have at most {SCOPES_BYTES_MAX} bytes; system/*.rs means every type")]
    TooLong,
    /// It is about a person or about how an app is opened.
    #[error("a program has system/ scopes only, for example system/Patient.rs")]
    NotOfASystem,
    /// R4 has no such type.
    #[error("a scope names a type of FHIR R4 or *, for example system/Patient.rs")]
    Type,
    /// What may be done is not written as SMART writes it.
    #[error("after the type stand some of cruds in this order, for example system/Patient.rs")]
    Permissions,
    /// It is narrowed by a search.
    #[error("scopes that are narrowed by a search (?...) are not granted here")]
    Narrowed,
}

/// What may be done with resources of each type.
///
/// It is a small table that is copied, because everybody who reads a record asks it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Scopes([u8; TYPES_MAX]);

impl Scopes {
    /// Nothing.
    pub const NONE: Self = Self([0; TYPES_MAX]);

    /// Scopes with a space between them. Each must be known.
    ///
    /// # Errors
    /// What is wrong with the first that is not.
    pub fn parse(text: &str) -> Result<Self, Unknown> {
        if text.len() > SCOPES_BYTES_MAX {
            return Err(Unknown::TooLong);
        }
        let mut all = Self::NONE;
        for word in text.split_ascii_whitespace() {
            all = all.or(Self::one(word)?);
        }
        if all.is_empty() { Err(Unknown::Nothing) } else { Ok(all) }
    }

    /// One scope.
    fn one(word: &str) -> Result<Self, Unknown> {
        let rest = word.strip_prefix(SYSTEM).ok_or(Unknown::NotOfASystem)?;
        if rest.contains('?') {
            return Err(Unknown::Narrowed);
        }
        let (type_, letters) = rest.split_once('.').ok_or(Unknown::Permissions)?;
        let bits = permissions(letters).ok_or(Unknown::Permissions)?;
        let mut scopes = Self::NONE;
        if type_ == "*" {
            scopes.0[..TYPES.len()].fill(bits);
        } else {
            let place = place(type_).and_then(|at| scopes.0.get_mut(at));
            *place.ok_or(Unknown::Type)? = bits;
        }
        Ok(scopes)
    }

    /// Whether this may be done with resources of a type.
    pub fn allows(&self, type_: &str, permission: Permission) -> bool {
        let bits = place(type_).and_then(|at| self.0.get(at)).copied().unwrap_or(0);
        bits & permission.bit() != 0
    }

    /// Refuses what may not be done with resources of a type.
    ///
    /// # Errors
    /// *Forbidden*, with the scope that is missing.
    pub fn within(&self, type_: &str, permission: Permission) -> Result<(), Outcome> {
        if self.allows(type_, permission) {
            return Ok(());
        }
        let what = format!("{LACKS}{}", wanted(type_, permission));
        Err(Outcome::error(IssueCode::Forbidden, what))
    }

    /// Refuses a search that looks at resources of a type that may not be searched: to find a resource by
    /// another is to learn of the other.
    ///
    /// # Errors
    /// *Forbidden*, with the scope that is missing.
    pub fn may_search(&self, query: &Query) -> Result<(), Outcome> {
        self.within(query.type_, Permission::Search)?;
        for chained in &query.chained {
            let mut refused = Ok(());
            for (type_, _) in &chained.any {
                refused = self.within(type_, Permission::Search);
                // What it points to of other types fits nothing.
                if refused.is_ok() {
                    break;
                }
            }
            refused?;
        }
        let looked_at = query.reversed.iter().map(|reversed| reversed.type_);
        let shown = query.revincludes.iter().map(|include| include.source);
        looked_at.chain(shown).try_for_each(|type_| self.within(type_, Permission::Search))
    }

    /// Whether resources of a type may be seen, by reading or by searching.
    pub fn sees(&self, type_: &str) -> bool {
        self.allows(type_, Permission::Read) || self.allows(type_, Permission::Search)
    }

    /// Whether nothing may be done.
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// What both allow.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.with(other, |one, another| one & another)
    }

    /// What either allows.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.with(other, |one, another| one | another)
    }

    /// What this allows and the other does not.
    fn without(self, other: Self) -> Self {
        self.with(other, |one, another| one & !another)
    }

    fn with(mut self, other: Self, bits: impl Fn(u8, u8) -> u8) -> Self {
        for (own, its) in self.0.iter_mut().zip(other.0) {
            *own = bits(*own, its);
        }
        self
    }
}

/// What a program that asks for these scopes is granted of those that it was registered for, and how that
/// is written: as it asked where all of a scope is granted. None if nothing is left.
///
/// Scopes that are not known are not granted, and are no error (RFC 6749, section 3.3).
pub fn granted(asked: &str, registered: Scopes) -> Option<(Scopes, String)> {
    if asked.len() > SCOPES_BYTES_MAX {
        return None;
    }
    let known = asked.split(' ').filter_map(|word| Some((word, Scopes::one(word).ok()?)));
    let (mut granted, mut whole) = (Scopes::NONE, Scopes::NONE);
    let mut words: Vec<&str> = Vec::new();
    for (word, scopes) in known {
        granted = granted.or(scopes.and(registered));
        if scopes.without(registered).is_empty() && !words.contains(&word) {
            whole = whole.or(scopes);
            words.push(word);
        }
    }
    let rest = granted.without(whole).to_string();
    if !rest.is_empty() {
        words.push(&rest);
    }
    (!granted.is_empty()).then(|| (granted, words.join(" ")))
}

/// The letters after the point as bits; none if they are not written as SMART writes them.
fn permissions(letters: &str) -> Option<u8> {
    let letters = match letters {
        "read" => "rs",
        "write" => "cud",
        "*" => "cruds",
        letters => letters,
    };
    let mut known = Permission::ALL.into_iter();
    let mut bits = 0;
    for letter in letters.chars() {
        // Whoever is out of order finds the letter gone.
        bits |= known.find(|it| it.letter() == letter)?.bit();
    }
    (bits != 0).then_some(bits)
}

fn place(type_: &str) -> Option<usize> {
    TYPES.binary_search(&type_).ok()
}

fn written(type_: &str, bits: u8) -> String {
    let letters = Permission::ALL.into_iter().filter(|it| bits & it.bit() != 0);
    format!("{SYSTEM}{type_}.{}", letters.map(Permission::letter).collect::<String>())
}

impl fmt::Display for Scopes {
    /// As SMART 2 writes them; nothing if there are none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_all = self.0.iter().take(TYPES.len()).fold(u8::MAX, |all, bits| all & bits);
        let every = (of_all != 0).then(|| written("*", of_all));
        let some = TYPES.iter().zip(self.0).filter(|(_, bits)| bits & !of_all != 0);
        let some = some.map(|(type_, bits)| written(type_, bits));
        f.write_str(&every.into_iter().chain(some).collect::<Vec<_>>().join(" "))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}
