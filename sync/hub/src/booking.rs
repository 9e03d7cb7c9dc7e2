//! Booking for programs of others (`Appointment/$find`, `$hold`, `$book`, `$cancel`; IHE ITI Scheduling).
//!
//! ```text
//!   what the hub itself holds or sold ─► done here
//!   the box is there ────────────────── ► the box is asked; its answer is the answer
//!   it is away ─────┬─ lent slots ───── ► found, held and sold here
//!                   └─ any other time ─ ► a wish: `proposed`, never booked; the desk decides
//! ```
//!
//! Who is not on record yet is described by `patient-resource`. The box is not asked for them, because it
//! takes nobody in without a person who looks; a lent slot is sold to them all the same.
//!
//! Invariant: nothing is called booked here but by [`crate::loans::sell`].

mod hold;
mod lent;
mod visit;

pub(crate) use self::lent::{buy, lent_times};
pub(crate) use self::visit::Comes;
use fhir::operation::{Input, Operation, Pointer};
use fhir::{IssueCode, Outcome, Resource, search};
use sync_protocol::ask::Name;
use uuid::Uuid;

use crate::hub::ReadError;
use crate::idempotency::Once;
use crate::loans::NotSold;
use crate::requests::NotAsked;
use crate::search::{Place, Unanswered};
use crate::store::StoreError;
use crate::vault::WrongKey;

/// What describes somebody who is not on record.
pub const PATIENT_RESOURCE: &str = "patient-resource";
/// The type that all of this is about.
pub const TYPE: &str = "Appointment";

/// What is asked for.
pub struct Wish {
    /// Which operation.
    pub operation: Operation,
    /// The appointment that the address names.
    pub id: Option<String>,
    /// What is said: a `Parameters`.
    pub parameters: Resource,
    /// The ids of what comes of it.
    pub once: Once,
}

/// What came of it.
pub struct Answered {
    /// The status of HTTP.
    pub status: u16,
    /// A resource of FHIR.
    pub resource: Resource,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// What is wrong, and with which status.
    #[error("{1}")]
    Said(u16, Outcome),
    /// The records.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A loan.
    #[error(transparent)]
    Loan(NotSold),
    /// A search within it.
    #[error(transparent)]
    Search(#[from] Unanswered),
    /// The queue to the box.
    #[error(transparent)]
    Queue(#[from] NotAsked),
}

impl From<Outcome> for NotDone {
    fn from(outcome: Outcome) -> Self {
        Self::Said(outcome.status(), outcome)
    }
}

impl From<StoreError> for NotDone {
    fn from(error: StoreError) -> Self {
        Self::Read(error.into())
    }
}

impl From<WrongKey> for NotDone {
    fn from(error: WrongKey) -> Self {
        Self::Read(error.into())
    }
}

impl NotDone {
    fn new(status: u16, code: IssueCode, what: &str) -> Self {
        Self::Said(status, Outcome::error(code, what))
    }

    /// Somebody else has it.
    fn taken() -> Self {
        Self::new(409, IssueCode::Conflict, "this time is taken; find another with $find")
    }
}

/// The name of an operation as the box is asked for it; none of those that are not asked here.
pub fn name(operation: Operation) -> Option<Name> {
    match operation {
        Operation::Find => Some(Name::Find),
        Operation::Hold => Some(Name::Hold),
        Operation::Book => Some(Name::Book),
        Operation::Cancel => Some(Name::Cancel),
        Operation::Match | Operation::Everything | Operation::Validate => None,
    }
}

impl Wish {
    /// What is said, read.
    ///
    /// # Errors
    /// What has no name or no value, or a name that the operation is not told.
    pub fn input(&self) -> Result<Input, Outcome> {
        let input = Input::of_body(self.parameters.clone())?;
        let mut names = self.operation.takes().to_vec();
        if self.may_be_of_strangers() {
            names.push(PATIENT_RESOURCE);
        }
        input.goes_by(&names)?;
        Ok(input)
    }

    /// All that is asked, to compare with what was asked before.
    pub fn whole(&self) -> Vec<u8> {
        let id = self.id.as_deref().unwrap_or_default();
        let asked = format!("{} {id} ", self.operation.name());
        [asked.into_bytes(), self.parameters.to_vec()].concat()
    }

    fn may_be_of_strangers(&self) -> bool {
        matches!(self.operation, Operation::Hold | Operation::Book)
    }

    /// Whether it is for somebody who is not on record, so that the box is not asked.
    pub fn is_of_strangers(&self, input: &Input) -> bool {
        self.may_be_of_strangers() && input.says(PATIENT_RESOURCE)
    }
}

/// Does what only the hub can: books what it holds, calls off what it holds or sold. None of anything
/// else.
///
/// # Errors
/// [`NotDone`].
pub fn own(place: Place<'_>, wish: &Wish) -> Result<Option<Answered>, NotDone> {
    let input = wish.input()?;
    if wish.once.again
        && wish.operation == Operation::Book
        && let Some(sold) = lent::sold(place, wish.once.new)?
    {
        return Ok(Some(sold));
    }
    let id = match (&wish.id, named(place, &input)?) {
        (Some(id), _) => Uuid::try_parse(id).ok(),
        (None, Some(Named::There(id))) => Uuid::try_parse(&id).ok(),
        (None, Some(Named::Time(_) | Named::Whole(_)) | None) => None,
    };
    let Some(id) = id.map(Uuid::into_bytes) else { return Ok(None) };
    match wish.operation {
        Operation::Book => hold::booked(place, &input, (id, wish.once.new)),
        Operation::Cancel => match hold::cancelled(place, id)? {
            Some(answered) => Ok(Some(answered)),
            None => lent::cancelled(place, id),
        },
        Operation::Find
        | Operation::Hold
        | Operation::Match
        | Operation::Everything
        | Operation::Validate => Ok(None),
    }
}

/// Does what can be done while the box is not asked.
///
/// # Errors
/// [`NotDone`].
pub fn alone(place: Place<'_>, wish: &Wish) -> Result<Answered, NotDone> {
    let input = wish.input()?;
    match wish.operation {
        Operation::Find => lent::found(place, &input),
        Operation::Hold => hold::held(place, &input, wish.once.new),
        Operation::Book => lent::booked(place, &input, wish.once.new),
        Operation::Cancel | Operation::Match | Operation::Everything | Operation::Validate => {
            let what = "the clinic's box is away, and only it can do this; ask again later, or \
                        telephone the clinic";
            Err(NotDone::new(503, IssueCode::Timeout, what))
        }
    }
}

/// What an operation is about.
enum Named {
    /// A time that was proposed, by the id of its slot.
    Time(String),
    /// An appointment that is there.
    There(String),
    /// A whole one.
    Whole(Box<Resource>),
}

fn named(place: Place<'_>, input: &Input) -> Result<Option<Named>, Outcome> {
    if !input.says("appointment-reference") {
        let whole = input.resource_of(TYPE, "resource")?.cloned();
        return Ok(whole.map(|it| Named::Whole(Box::new(it))));
    }
    let pointers = input.pointers("appointment-reference", place.here)?;
    let [Pointer::To { type_: TYPE, id }] = pointers.as_slice() else {
        let what = "name one appointment by appointment-reference, as Appointment/<id>";
        return Err(Outcome::error(IssueCode::Value, what));
    };
    Ok(Some(match fhir::appointment::proposal::Proposal::parse(id) {
        Some(proposal) => Named::Time(proposal.slot.to_string()),
        None => Named::There(id.clone()),
    }))
}

/// Who comes: described, named by reference, or the patient of a whole appointment.
fn patient(place: Place<'_>, input: &Input) -> Result<Option<Comes>, NotDone> {
    if let Some(described) = input.resource_of("Patient", PATIENT_RESOURCE)? {
        return Ok(Some(Comes::described(described)));
    }
    let mut ids = Vec::new();
    for pointer in input.pointers("patient-reference", place.here)? {
        match pointer {
            Pointer::To { type_: "Patient", id } => ids.push(id),
            Pointer::To { .. } | Pointer::Identified { .. } => return Err(lost().into()),
        }
    }
    if let (true, Some(whole)) = (ids.is_empty(), input.resource_of(TYPE, "resource")?) {
        let by = search::parameter(TYPE, "patient");
        let of_it = by.map(|by| fhir::matching::references(whole, by, place.here));
        ids.extend(of_it.unwrap_or_default().into_iter().map(|(_, id)| id));
    }
    match ids.as_slice() {
        [] => Ok(None),
        [id] => {
            let found = place.records.one("Patient", id)?.ok_or_else(lost)?;
            Ok(Some(Comes::on_record(&found, id)))
        }
        [_, _, ..] => {
            let what = "name the one patient who comes, by patient-reference";
            Err(Outcome::error(IssueCode::Required, what).into())
        }
    }
}

fn lost() -> Outcome {
    let what = "patient-reference refers to a patient who is on record here, as Patient/<id>";
    Outcome::error(IssueCode::Value, what)
}
