//! The invariants of R4: rules between elements, by the key under which HL7 lists them.
//!
//! Source: the constraints of severity error in HL7's definitions of 4.0.1, written by hand. The form
//! `ext-1: …` in an issue is the key and HL7's own words.
//!
//! Absent: the constraints of StructureDefinition and ElementDefinition (sdf, eld), of test scripts
//! and their reports (tst and their inv), of implementation guides (ig), and those that say nothing
//! as HL7 wrote them (ppc-2 to ppc-5 compare with a code system named "something"). ele-1 and the
//! narrative's txt-1 and txt-2 are looked at by `structure`.

mod administration;
mod bundle;
mod clinical;
mod conformance;
mod contained;
mod datatype;
mod focus;
mod questionnaire;
#[cfg(test)]
mod tests;

pub(crate) use focus::Focus;

/// One invariant.
pub(crate) struct Rule {
    /// HL7's key, such as `pat-1`.
    pub(crate) key: &'static str,
    /// What must hold.
    pub(crate) says: &'static str,
    /// Whether it does.
    pub(crate) holds: fn(&Focus<'_>) -> bool,
}

/// The elements (`Patient.contact`) that a rule is about, and the rule.
type Place = (&'static [&'static str], Rule);

const PLACES: [&[Place]; 7] = [
    datatype::RULES,
    contained::RULES,
    administration::RULES,
    bundle::RULES,
    clinical::RULES,
    questionnaire::RULES,
    conformance::RULES,
];

/// The rules of a type or of an element with children.
pub(crate) fn rules(path: &str) -> impl Iterator<Item = &'static Rule> {
    let all = PLACES.into_iter().flatten();
    all.filter(move |(paths, _)| paths.contains(&path)).map(|(_, rule)| rule)
}

/// A line of the lists of rules.
const fn rule(key: &'static str, says: &'static str, holds: fn(&Focus<'_>) -> bool) -> Rule {
    Rule { key, says, holds }
}
