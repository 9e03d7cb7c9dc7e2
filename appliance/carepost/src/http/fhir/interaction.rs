//! What FHIR's interactions do, inside one transaction
//! (<https://hl7.org/fhir/R4/http.html#3.1.0>): alone, or as entries of a bundle.

use std::collections::HashSet;

use fhir::bundle::{Links, conditional_references};
use fhir::reference::{Target, parse, references};
use fhir::scope::Permission;
use fhir::{Here, Issue, IssueCode, Outcome, Resource, capability, patch, structure};
use prm::chart;
use prm::db::Tx;
use prm::error::Error;
use prm::id::Noun;
use prm::request;

use super::records::{self, Found, Sought};
use super::search;
use super::stamp::Stamp;
use super::wire::Asked;
use super::write::{self, Refused, Wanted, Written};

/// What was done with a resource.
pub struct Done {
    /// The resource as it is now.
    pub found: Found,
    /// What was done.
    pub what: What,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It was made.
    Made,
    /// It was changed.
    Changed,
    /// Nothing: it was there already.
    There,
}

/// What must be so for a resource to be written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Only {
    /// The version that the caller has seen (`If-Match`).
    pub seen: Option<i64>,
    /// There is none yet (`If-None-Match: *`).
    pub new: bool,
}

/// A transaction, who asks, and what was found out in it.
pub struct Work<'a, 't> {
    /// The transaction.
    pub tx: &'a mut Tx<'t>,
    /// Who asks, and how.
    pub asked: &'a Asked,
    /// The clinic.
    pub here: Here<'a>,
    /// Resources that are there: a reference to one is looked up once.
    known: HashSet<(&'static str, String)>,
}

impl<'a, 't> Work<'a, 't> {
    /// The beginning.
    pub fn new(tx: &'a mut Tx<'t>, asked: &'a Asked, here: Here<'a>) -> Self {
        Self { tx, asked, here, known: HashSet::new() }
    }

    /// Who asks.
    pub fn stamp(&self) -> &'a Stamp {
        &self.asked.stamp
    }

    /// What this request of the hub made, if it was done before and its answer got lost.
    pub fn made_before(&self) -> Result<Option<Found>, Refused> {
        let Some(id) = self.asked.request else { return Ok(None) };
        let made = request::made(self.tx, self.stamp(), id)?;
        made.map(|made| self.found(fhir::appointment::TYPE, &made)).transpose()
    }

    /// Notes what this request of the hub makes, if it is one.
    pub fn note_made(&mut self, made: &Found) -> Result<(), Refused> {
        let (Some(id), Some(made)) = (self.asked.request, made.resource.id()) else {
            return Ok(());
        };
        Ok(request::note_made(self.tx, self.stamp(), id, made)?)
    }

    /// The ids of the resources that a search for one finds, at most two of them.
    pub fn few(&self, type_: &str, criteria: &str) -> Result<Vec<String>, Refused> {
        search::few(self.tx, self.stamp(), self.here, type_, criteria)
    }

    /// The resource as it is now.
    pub fn found(&self, type_: &'static str, id: &str) -> Result<Found, Refused> {
        match records::one(self.tx, self.stamp(), self.here, (type_, id), None)? {
            Sought::Found(found) => Ok(*found),
            Sought::Gone => Err(Error::NotFound(Noun::Chart).into()),
        }
    }

    /// Creates a resource, unless a search finds one already. `id` is the one that was foreseen for
    /// it.
    pub fn create(
        &mut self,
        resource: Resource,
        unless: Option<&str>,
        id: Option<&str>,
    ) -> Result<Done, Refused> {
        let type_ = resource.resource_type();
        self.stamp().within(type_, Permission::Create)?;
        if let Some(criteria) = unless {
            match self.few(type_, criteria.trim_start_matches('?'))?.as_slice() {
                [] => {}
                [one] => {
                    let found = self.found(type_, one)?;
                    return Ok(Done { found, what: What::There });
                }
                [_, _, ..] => return Err(several().into()),
            }
        }
        self.write(resource, id, None)
    }

    /// Writes a resource under an id.
    pub fn put(&mut self, resource: Resource, id: &str, only: Only) -> Result<Done, Refused> {
        let type_ = resource.resource_type();
        self.stamp().within(type_, Permission::Update)?;
        if only.new && records::exists(self.tx, self.stamp(), self.here, (type_, id))? {
            return Err(there_already().into());
        }
        self.write(resource, Some(id), only.seen)
    }

    /// Writes a resource over the one that a search finds, or as a new one.
    pub fn put_found(
        &mut self,
        resource: Resource,
        criteria: &str,
        only: Only,
    ) -> Result<Done, Refused> {
        let type_ = resource.resource_type();
        self.stamp().within(type_, Permission::Update)?;
        let said = resource.id().map(str::to_owned);
        match self.few(type_, criteria)?.as_slice() {
            [] => {
                let id = said.filter(|_| capability::update_creates(type_));
                self.write(resource, id.as_deref(), only.seen)
            }
            [one] if said.as_ref().is_some_and(|id| id != one) => {
                let what = "the resource that is found has another id";
                Err(Outcome::error(IssueCode::Invalid, what).into())
            }
            [_] if only.new => Err(there_already().into()),
            [one] => self.write(resource, Some(one), only.seen),
            [_, _, ..] => Err(several().into()),
        }
    }

    /// Changes a part of a resource.
    pub fn patch(
        &mut self,
        (type_, id): (&'static str, &str),
        patch: &patch::Patch,
        seen: Option<i64>,
    ) -> Result<Done, Refused> {
        self.stamp().within(type_, Permission::Update)?;
        let found = self.found(type_, id)?;
        let patched = patch.apply(&found.resource)?;
        let issues = structure::validate(&patched);
        if !issues.is_empty() {
            return Err(Outcome { issues }.into());
        }
        // What somebody wrote in between is not patched over.
        let seen = seen.or(found.at.map(|(version, _)| version));
        self.write(patched, Some(id), seen)
    }

    /// Deletes a resource; one that was deleted already, or never was, stays so
    /// (<https://hl7.org/fhir/R4/http.html#delete>).
    pub fn delete(
        &mut self,
        (type_, id): (&'static str, &str),
        seen: Option<i64>,
    ) -> Result<(), Refused> {
        self.stamp().within(type_, Permission::Delete)?;
        match chart::delete(self.tx, self.stamp(), type_, id, seen) {
            Ok(_) => {
                self.known.remove(&(type_, id.to_owned()));
                Ok(())
            }
            Err(Error::NotFound(_))
                if records::exists(self.tx, self.stamp(), self.here, (type_, id))? =>
            {
                let what = "this is a record of the clinic; it is not deleted here";
                Err(Outcome::error(IssueCode::BusinessRule, what).into())
            }
            Err(Error::NotFound(_)) if seen.is_none() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes the resource that a search finds, if there is one.
    pub fn delete_found(
        &mut self,
        type_: &'static str,
        criteria: &str,
        seen: Option<i64>,
    ) -> Result<(), Refused> {
        self.stamp().within(type_, Permission::Delete)?;
        match self.few(type_, criteria)?.as_slice() {
            [] => Ok(()),
            [one] => self.delete((type_, one), seen),
            [_, _, ..] => Err(several().into()),
        }
    }

    fn write(
        &mut self,
        mut resource: Resource,
        id: Option<&str>,
        seen: Option<i64>,
    ) -> Result<Done, Refused> {
        self.resolve(&mut resource)?;
        self.refuse_lost(&resource)?;
        if resource.resource_type() == "AppointmentResponse" {
            // What a patient answers is done to the appointment.
            self.stamp().within("Appointment", Permission::Update)?;
        }
        let wanted = Wanted { resource: &resource, id, seen };
        let Written { found, created } =
            write::write(self.tx, &self.asked.stamp, self.here, &wanted)?;
        if let Some(id) = found.resource.id() {
            self.known.insert((resource.resource_type(), id.to_owned()));
        }
        Ok(Done { found, what: if created { What::Made } else { What::Changed } })
    }

    /// Keeps what was given of a record anew, at the version that it has.
    pub fn given_again(
        &mut self,
        resource: &Resource,
        (type_, id): (&'static str, &str),
    ) -> Result<Found, Refused> {
        self.refuse_lost(resource)?;
        write::given_again(self.tx, &self.asked.stamp, self.here, (type_, id), resource)
    }

    /// Finds what conditional references mean; one that finds none or several is refused when it is
    /// rewritten.
    pub fn find_conditionals(&self, resource: &Resource, links: &mut Links) -> Result<(), Refused> {
        for wanted in conditional_references(resource, self.here) {
            if let [one] = self.few(wanted.type_, &wanted.query)?.as_slice() {
                links.add(&wanted.reference, wanted.type_, one);
            }
        }
        Ok(())
    }

    /// Puts what conditional references find in their place.
    fn resolve(&self, resource: &mut Resource) -> Result<(), Refused> {
        let mut links = Links::default();
        self.find_conditionals(resource, &mut links)?;
        Ok(links.rewrite(resource, None, self.here)?)
    }

    /// Refuses a resource that refers to one that is not here. What is somewhere else, or only named,
    /// stays as it is.
    fn refuse_lost(&mut self, resource: &Resource) -> Result<(), Refused> {
        let mut issues = Vec::new();
        for found in references(resource) {
            let Some(Target::Local(local)) = parse(found.reference, self.here.origin) else {
                continue;
            };
            let is_itself =
                resource.resource_type() == local.resource_type && resource.id() == Some(local.id);
            // A slot is computed: booking says whether there is one.
            if is_itself || local.resource_type == fhir::slot::TYPE {
                continue;
            }
            let key = (local.resource_type, local.id.to_owned());
            if self.known.contains(&key) {
                continue;
            }
            let named = (local.resource_type, local.id);
            if records::exists(self.tx, self.stamp(), self.here, named)? {
                self.known.insert(key);
                continue;
            }
            let what = "there is no such resource here; send it first, or in the same transaction";
            issues.push(Issue::at(found.path, IssueCode::NotFound, what));
        }
        if issues.is_empty() {
            return Ok(());
        }
        // Not 404, which would be about the address.
        let what = "the resource refers to what is not here";
        issues.insert(0, Issue::error(IssueCode::BusinessRule, what));
        Err(Outcome { issues }.into())
    }

    /// What will be there at the end of the transaction, because an entry makes it.
    pub fn will_be_there(&mut self, type_: &'static str, id: &str) {
        self.known.insert((type_, id.to_owned()));
    }
}

/// More than one resource is found by a search for one.
pub fn several() -> Outcome {
    let what = "more than one resource is found by this; ask for one";
    Outcome::error(IssueCode::MultipleMatches, what)
}

fn there_already() -> Outcome {
    let what = "there is such a resource already, and it was to be written only if there is none";
    Outcome::error(IssueCode::Duplicate, what)
}
