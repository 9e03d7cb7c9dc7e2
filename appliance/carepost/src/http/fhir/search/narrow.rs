//! A FHIR search as a question for the database. What comes out of it holds at least all that fits:
//! conditions for which there is no column are left to whoever looks at the resources.
//!
//! A record is found by its own columns, and by what other systems gave of it beyond them; a resource
//! that is kept as given only by the latter.

mod kept;
mod own;

use fhir::search::{Chained, Condition as Asked, Modifier, Prefix, Query, Reversed, Value};
use fhir::{Here, audit_event, organization, provenance, related_person, slot};
use prm::chart;
use prm::db::Read;
use prm::id::{Noun, PatientId};
use prm::patient;
use prm::query::{Compare, Condition, Field, Question, Wanted};
use prm::stamp::Right;
use uuid::Uuid;

use super::all_of;
use crate::http::fhir::records;
use crate::http::fhir::stamp::Stamp;
use crate::http::fhir::write::Refused;

/// Records of the few that are looked through for a condition on them; of more none is left out.
const FEW_MAX: usize = 500;

/// All records of a type.
pub fn everything(type_: &'static str, noun: Noun) -> Question {
    let kind = (noun == Noun::Chart).then(|| type_.to_owned());
    Question { noun, kind, conditions: Vec::new() }
}

/// The question that a search is to the records of one kind.
///
/// # Errors
/// Those of looking through the few records that others refer to.
pub fn question(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    query: &Query,
    noun: Noun,
) -> Result<Question, Refused> {
    let narrowing = Narrowing { read, stamp, here };
    let mut question = everything(query.type_, noun);
    let asked = &query.conditions;
    question.conditions.extend(asked.iter().filter_map(|it| narrow(query.type_, noun, it, here)));
    for chained in &query.chained {
        question.conditions.extend(narrowing.chained(query.type_, noun, chained)?);
    }
    for reversed in &query.reversed {
        question.conditions.extend(narrowing.reversed(reversed)?);
    }
    Ok(question)
}

/// The patient whose relations are looked for, if it is one.
pub fn relations_of(query: &Query) -> Option<PatientId> {
    let conditions = query.conditions.iter();
    let mut of_patient =
        conditions.filter(|it| it.parameter.name == "patient" && it.modifier.is_none());
    match of_patient.next()?.any.as_slice() {
        [Value::Reference { type_: _, id }] => id.parse().ok(),
        _ => None,
    }
}

/// What is needed to narrow by other resources.
struct Narrowing<'a> {
    read: &'a Read<'a>,
    stamp: &'a Stamp,
    here: Here<'a>,
}

impl Narrowing<'_> {
    /// A condition on what is pointed to.
    fn chained(
        &self,
        type_: &'static str,
        noun: Noun,
        chained: &Chained,
    ) -> Result<Option<Condition>, Refused> {
        let Chained { by, any } = chained;
        let targets = any.iter().map(|(target, _)| *target);
        self.may_read_one_of(targets)?;
        let Some(fields) = references(type_, noun, by.name) else { return Ok(None) };
        let mut ways = Vec::new();
        for (target, condition) in any {
            if let Some(ids) = self.few(target, condition)? {
                let any = ids.iter().flat_map(|id| by_either_id(target, id)).collect();
                ways.push(Condition::Holds { fields: fields.clone(), any, not: false });
                continue;
            }
            if !lies_in_tables(target) {
                return Ok(None);
            }
            for question in self.questions(target, condition) {
                ways.push(Condition::RefersTo(fields.clone(), Box::new(question)));
            }
        }
        Ok(Some(Condition::AnyOf(ways)))
    }

    /// A condition on what points here.
    fn reversed(&self, reversed: &Reversed) -> Result<Option<Condition>, Refused> {
        let Reversed { type_, by, condition } = reversed;
        self.may_read_one_of([*type_].into_iter())?;
        if !lies_in_tables(type_) {
            return Ok(None);
        }
        let mut ways = Vec::new();
        for question in self.questions(type_, condition) {
            let Some(fields) = references(type_, question.noun, by.name) else { return Ok(None) };
            for field in fields {
                ways.push(Condition::ReferredBy(field, Box::new(question.clone())));
            }
        }
        Ok(Some(Condition::AnyOf(ways)))
    }

    /// Refuses who may read nothing of what the condition is on.
    fn may_read_one_of(&self, types: impl Iterator<Item = &'static str>) -> Result<(), Refused> {
        let mut refused = Ok(());
        for type_ in types {
            refused = records::may_read(self.stamp, type_);
            if refused.is_ok() {
                return Ok(());
            }
        }
        Ok(refused?)
    }

    /// The question for each kind of record of a type that the caller may read.
    fn questions(&self, type_: &'static str, condition: &Asked) -> Vec<Question> {
        let own = records::noun_of(type_);
        let kept = records::is_kept(type_).then_some(Noun::Chart);
        let nouns = own.into_iter().chain(kept);
        let readable = nouns.filter(|noun| self.stamp.may(Right::to_read(*noun)));
        let question = |noun| {
            let conditions = narrow(type_, noun, condition, self.here).into_iter().collect();
            Question { conditions, ..everything(type_, noun) }
        };
        readable.map(question).collect()
    }

    /// The ids of the records that fit, where there are never many of their kind.
    fn few(&self, type_: &'static str, condition: &Asked) -> Result<Option<Vec<String>>, Refused> {
        let are_few = matches!(
            type_,
            "Practitioner"
                | "PractitionerRole"
                | "Location"
                | "HealthcareService"
                | "Schedule"
                | "Organization"
                | "Device"
        );
        if !are_few || records::may_read(self.stamp, type_).is_err() {
            return Ok(None);
        }
        let query = Query::of(type_, vec![condition.clone()]);
        match all_of(self.read, self.stamp, self.here, &query, FEW_MAX + 1) {
            Ok(found) if found.len() <= FEW_MAX => Ok(Some(
                found.iter().filter_map(|it| it.resource.id().map(str::to_owned)).collect(),
            )),
            // There are too many of them after all.
            Ok(_) | Err(Refused::Resource(_)) => Ok(None),
            Err(refused @ (Refused::Rule(_) | Refused::Gone | Refused::Entry(..))) => Err(refused),
        }
    }
}

/// Whether all resources of a type lie in tables that a question can be asked of.
fn lies_in_tables(type_: &str) -> bool {
    ![slot::TYPE, audit_event::TYPE, provenance::TYPE, related_person::TYPE, organization::TYPE]
        .contains(&type_)
}

/// An id as the records hold it, and as other systems gave it.
fn by_either_id(type_: &str, id: &str) -> Vec<Wanted> {
    let own = Uuid::try_parse(id).ok().map(|id| Wanted::Id(id.into_bytes()));
    let given = Wanted::Token { code: Some(id.to_owned()), system: Some(type_.to_owned()) };
    own.into_iter().chain([given]).collect()
}

/// Where a reference of this parameter lies; none if it may lie somewhere that has no column.
fn references(type_: &'static str, noun: Noun, parameter: &'static str) -> Option<Vec<Field>> {
    let given = Field::given(type_, parameter);
    if noun == Noun::Chart {
        return Some(vec![given]);
    }
    let own = own::references(type_, parameter)?;
    Some(own.into_iter().chain([given]).collect())
}

/// A condition for the database, where it has one that lets through all that fits.
fn narrow(type_: &'static str, noun: Noun, asked: &Asked, here: Here<'_>) -> Option<Condition> {
    let Asked { parameter, modifier, any } = asked;
    match (modifier, parameter.name) {
        (None, fhir::search::ID) => return Some(by_id(noun, any)),
        (None, fhir::search::LAST_UPDATED) => {
            let ways = any.iter().map(|value| match value {
                Value::Date { prefix, from_ms, to_ms } => Some(changed(*prefix, *from_ms, *to_ms)),
                Value::Token { .. }
                | Value::Reference { .. }
                | Value::Url(_)
                | Value::Text { .. }
                | Value::Number { .. }
                | Value::Uri(_)
                | Value::Flag(_) => None,
            });
            return ways.collect::<Option<_>>().map(Condition::AnyOf);
        }
        (_, fhir::search::ID | fhir::search::LAST_UPDATED)
        | (Some(Modifier::Text | Modifier::Identifier), _) => return None,
        (Some(Modifier::Missing), _) => return missing(type_, noun, asked),
        (
            None | Some(Modifier::Not | Modifier::Exact | Modifier::Contains | Modifier::Type(_)),
            _,
        ) => {}
    }
    let not = *modifier == Some(Modifier::Not);
    if noun == Noun::Chart {
        let (field, any) = kept::wanted(type_, parameter, any)?;
        let is_exact = kept::is_exact(parameter, any.as_slice());
        return (!not || is_exact).then_some(Condition::Holds { fields: vec![field], any, not });
    }
    let (mut fields, mut wanted) = own::wanted(noun, type_, asked, here)?;
    if not && !own::is_exact(noun, parameter.name) {
        return None;
    }
    if !own::is_whole(noun, parameter.name) {
        let (field, given) = kept::wanted(type_, parameter, any)?;
        fields.push(field);
        wanted.extend(given);
    }
    Some(Condition::Holds { fields, any: wanted, not })
}

/// Times of FHIR are written to the second, or to the millisecond where there are any: what was made
/// within a second may be written as all of it.
fn changed(prefix: Prefix, from_ms: i64, to_ms: i64) -> Condition {
    const SECOND: i64 = 1_000;
    let early = from_ms.saturating_sub(SECOND);
    let late = to_ms.saturating_add(SECOND);
    match prefix {
        Prefix::Eq | Prefix::Ap => Condition::ChangedAt(Compare::Overlaps, from_ms, to_ms),
        Prefix::Ne => Condition::ChangedAt(Compare::GreaterOrEqual, i64::MIN, i64::MIN),
        Prefix::Gt | Prefix::Ge | Prefix::Sa => {
            Condition::ChangedAt(Compare::StartsAfter, early, early)
        }
        Prefix::Lt | Prefix::Le | Prefix::Eb => Condition::ChangedAt(Compare::Less, late, late),
    }
}

fn by_id(noun: Noun, values: &[Value]) -> Condition {
    let codes = values.iter().filter_map(kept::code);
    if noun == Noun::Chart {
        let any = codes.map(|code| Wanted::Word(code.to_owned())).collect();
        return Condition::Holds { fields: vec![chart::field::NAME], any, not: false };
    }
    Condition::IsOneOf(
        codes.filter_map(|code| Uuid::try_parse(code).ok()).map(Uuid::into_bytes).collect(),
    )
}

/// What has nothing to be found by may still have something that nothing is found by, such as a
/// reference by an identifier: only what is missing is looked for so.
fn missing(type_: &'static str, noun: Noun, asked: &Asked) -> Option<Condition> {
    let [Value::Flag(missing)] = asked.any.as_slice() else { return None };
    let name = asked.parameter.name;
    match (noun, missing) {
        (Noun::Patient, _) if name == "birthdate" => {
            Some(Condition::Missing(vec![patient::field::BIRTH_DATE], *missing))
        }
        (Noun::Chart, true) => {
            let field = kept::field(type_, asked.parameter)?;
            Some(Condition::Missing(vec![field], true))
        }
        (_, _) => None,
    }
}

/// Whether the database alone says what fits.
pub fn are_exact(query: &Query, questions: &[&Question]) -> bool {
    let has_others = !query.chained.is_empty() || !query.reversed.is_empty();
    let is_exact = |noun: Noun, asked: &Asked| {
        if asked.modifier.is_some() {
            return false;
        }
        if noun != Noun::Chart {
            return own::is_exact(noun, asked.parameter.name);
        }
        let wanted = kept::wanted(query.type_, asked.parameter, &asked.any);
        wanted.is_some_and(|(_, wanted)| kept::is_exact(asked.parameter, &wanted))
    };
    // A place in the queue of somebody unknown is no Encounter.
    let is_exact = |question: &&Question| {
        question.noun != Noun::QueueEntry
            && query.conditions.iter().all(|asked| is_exact(question.noun, asked))
    };
    !has_others && questions.iter().all(is_exact)
}

fn compared(prefix: Prefix) -> Compare {
    match prefix {
        Prefix::Eq => Compare::Equal,
        Prefix::Ne => Compare::NotEqual,
        Prefix::Gt => Compare::Greater,
        Prefix::Lt => Compare::Less,
        Prefix::Ge => Compare::GreaterOrEqual,
        Prefix::Le => Compare::LessOrEqual,
        Prefix::Sa => Compare::StartsAfter,
        Prefix::Eb => Compare::EndsBefore,
        Prefix::Ap => Compare::Overlaps,
    }
}
