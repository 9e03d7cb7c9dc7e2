//! When and how people are reminded of their visits.

use rusqlite::OptionalExtension as _;

use crate::change::next_version;
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::healthcare_service;
use crate::id::{HealthcareServiceId, Noun, ReminderRuleId};
use crate::medium::Medium;
use crate::stamp::{Right, Stamp};

/// As many rules are kept at the most.
pub const RULES_MAX: i64 = 100;
/// As long before a visit may somebody be reminded, in minutes: four weeks.
pub const BEFORE_MINUTES_MAX: i64 = 28 * 24 * 60;
/// Not later before a visit than this, in minutes.
pub const BEFORE_MINUTES_MIN: i64 = 15;

/// When and how people are reminded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReminderRule {
    /// The id.
    pub id: ReminderRuleId,
    /// Grows with each edit.
    pub version: i64,
    /// For this service; without it for all services that have no rule of their own.
    pub healthcare_service: Option<HealthcareServiceId>,
    /// How long before the visit, in minutes.
    pub before_minutes: i64,
    /// By which media, in order of preference.
    pub media: Vec<Medium>,
    /// Whether the patient is asked to say that they come.
    pub confirm: bool,
    /// Whether it is followed.
    pub active: bool,
}

/// What is said to add a rule.
#[derive(Clone, Debug)]
pub struct Addition {
    /// For this service; without it for all that have no rule of their own.
    pub healthcare_service: Option<HealthcareServiceId>,
    /// How long before the visit, in minutes, [`BEFORE_MINUTES_MIN`] to [`BEFORE_MINUTES_MAX`].
    pub before_minutes: i64,
    /// By which media, in order of preference.
    pub media: Vec<Medium>,
    /// Whether the patient is asked to say that they come.
    pub confirm: bool,
}

/// What is to be changed; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// How long before the visit, in minutes.
    pub before_minutes: Option<i64>,
    /// By which media; replaces all.
    pub media: Option<Vec<Medium>>,
    /// Whether the patient is asked to say that they come.
    pub confirm: Option<bool>,
    /// Whether it is followed.
    pub active: Option<bool>,
}

/// Adds a rule.
pub fn add(tx: &mut Tx<'_>, stamp: &Stamp, addition: Addition) -> Result<ReminderRule> {
    stamp.needs(Right::WriteWording)?;
    let Addition { healthcare_service, before_minutes, media, confirm } = addition;
    if let Some(service) = healthcare_service {
        healthcare_service::active(tx, service)?;
    }
    let rules = list(tx, stamp)?;
    if i64::try_from(rules.len()).unwrap_or(i64::MAX) >= RULES_MAX {
        let what = format!("at most {RULES_MAX} rules are kept; take one away first");
        return Err(Error::refused(Code::TooMany, what));
    }
    let rule = ReminderRule {
        id: ReminderRuleId::new(stamp.now),
        version: 1,
        healthcare_service,
        before_minutes,
        media,
        confirm,
        active: true,
    };
    check(&rules, &rule)?;
    let ReminderRule { id, version, healthcare_service, before_minutes, media, confirm, active } =
        &rule;
    tx.sql()
        .prepare_cached(
            "INSERT INTO reminder_rule
               (id, version, healthcare_service, before_minutes, media, confirm, active)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            id,
            version,
            healthcare_service,
            before_minutes,
            in_json(media),
            confirm,
            active,
        ))?;
    tx.record(stamp, "add", (Noun::ReminderRule, id.as_bytes(), 1), None)?;
    Ok(rule)
}

/// Changes a rule; for which service it is stays.
pub fn edit(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (ReminderRuleId, Option<i64>),
    edit: Edit,
) -> Result<ReminderRule> {
    stamp.needs(Right::WriteWording)?;
    let before = get(tx, stamp, id)?;
    let Edit { before_minutes, media, confirm, active } = edit;
    let rule = ReminderRule {
        id,
        version: next_version(before.version, seen)?,
        healthcare_service: before.healthcare_service,
        before_minutes: before_minutes.unwrap_or(before.before_minutes),
        media: media.unwrap_or(before.media),
        confirm: confirm.unwrap_or(before.confirm),
        active: active.unwrap_or(before.active),
    };
    check(&list(tx, stamp)?, &rule)?;
    tx.sql()
        .prepare_cached(
            "UPDATE reminder_rule SET version = ?2, before_minutes = ?3, media = ?4, confirm = ?5,
               active = ?6 WHERE id = ?1",
        )?
        .execute((
            id,
            rule.version,
            rule.before_minutes,
            in_json(&rule.media),
            rule.confirm,
            rule.active,
        ))?;
    tx.record(stamp, "edit", (Noun::ReminderRule, id.as_bytes(), rule.version), None)?;
    Ok(rule)
}

/// Takes a rule away.
pub fn remove(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (ReminderRuleId, Option<i64>),
) -> Result<()> {
    stamp.needs(Right::WriteWording)?;
    let version = next_version(get(tx, stamp, id)?.version, seen)?;
    tx.sql().prepare_cached("DELETE FROM reminder_rule WHERE id = ?1")?.execute([id])?;
    tx.record(stamp, "remove", (Noun::ReminderRule, id.as_bytes(), version), None)
}

/// One rule.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: ReminderRuleId) -> Result<ReminderRule> {
    stamp.needs(Right::ReadWording)?;
    read.sql()
        .prepare_cached(
            "SELECT id, version, healthcare_service, before_minutes, media, confirm, active
             FROM reminder_rule WHERE id = ?1",
        )?
        .query_row([id], from_row)
        .optional()?
        .ok_or(Error::NotFound(Noun::ReminderRule))
}

/// All rules, the earliest reminder first; never more than [`RULES_MAX`].
pub fn list(read: &Read<'_>, stamp: &Stamp) -> Result<Vec<ReminderRule>> {
    stamp.needs(Right::ReadWording)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, healthcare_service, before_minutes, media, confirm, active
         FROM reminder_rule ORDER BY before_minutes DESC, id",
    )?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Of these rules, those that are followed for a visit: the service's own, or else those for all.
pub fn of_visit(
    rules: &[ReminderRule],
    service: Option<HealthcareServiceId>,
) -> Vec<&ReminderRule> {
    let followed = |of: Option<HealthcareServiceId>| -> Vec<&ReminderRule> {
        rules.iter().filter(|rule| rule.active && rule.healthcare_service == of).collect()
    };
    // A rule of the service that is switched off is a rule of its own, too: nobody is reminded.
    let own = service.is_some() && rules.iter().any(|rule| rule.healthcare_service == service);
    followed(if own { service } else { None })
}

fn check(all: &[ReminderRule], rule: &ReminderRule) -> Result<()> {
    if !(BEFORE_MINUTES_MIN..=BEFORE_MINUTES_MAX).contains(&rule.before_minutes) {
        return Err(Error::invalid(
            "before_minutes",
            format!(
                "people are reminded {BEFORE_MINUTES_MIN} to {BEFORE_MINUTES_MAX} minutes before"
            ),
        ));
    }
    let mut media = rule.media.clone();
    media.sort_unstable();
    media.dedup();
    // Nobody is called by a voice agent: it answers only.
    if media.is_empty() || media.len() != rule.media.len() || media.contains(&Medium::VoiceAgent) {
        let what = "name whatsapp, sms, voice and email in the order to try, each once";
        return Err(Error::invalid("media", what));
    }
    let same = all.iter().any(|it| {
        it.id != rule.id
            && it.healthcare_service == rule.healthcare_service
            && it.before_minutes == rule.before_minutes
    });
    if same {
        let what = "there is a rule for that time already; change that one";
        return Err(Error::refused(Code::NameTaken, what));
    }
    Ok(())
}

fn in_json(media: &[Medium]) -> String {
    let words: Vec<&str> = media.iter().map(|medium| medium.as_str()).collect();
    serde_json::Value::from(words).to_string()
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<ReminderRule> {
    let media: String = row.get(4)?;
    Ok(ReminderRule {
        id: row.get(0)?,
        version: row.get(1)?,
        healthcare_service: row.get(2)?,
        before_minutes: row.get(3)?,
        media: serde_json::from_str(&media).unwrap_or_default(),
        confirm: row.get(5)?,
        active: row.get(6)?,
    })
}

#[cfg(test)]
mod tests;
