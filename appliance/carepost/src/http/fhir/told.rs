//! Records as resources for the hub: as they are now, found by the id that the change log has.

use fhir::slot::{self, Status};
use fhir::{Here, Resource, reference, structure};
use prm::chart;
use prm::clinic;
use prm::db::Read;
use prm::error::{Error, Result};
use prm::id::{ChartId, LoanId};
use prm::loan;
use prm::slot::Slot;
use prm::stamp::Stamp as OfRecords;
use serde_json::json;
use sync_agent::loans;
use uuid::Uuid;

use super::records::{self, Sought};
use super::stamp::Stamp;

/// The system of the key that a slot has between box and hub.
const SLOT_KEY: &str = "urn:carepost:slot-key";

/// A record as a resource of this type, as it is now or at a version; none if there is no such record or version,
/// or it was deleted. Of lent slots and of what is kept as it was given there is only now.
///
/// References to other records are told without their names: those would be copies, which no change of this
/// record keeps up to date. What is kept as it was given is told as it is.
///
/// # Errors
/// Those of the database.
pub fn shown(
    read: &Read<'_>,
    stamp: &OfRecords,
    kind: &str,
    id: Uuid,
    version: Option<i64>,
) -> Result<Option<Resource>> {
    let Some(kind) = structure::each_type().find(|type_| *type_ == kind) else { return Ok(None) };
    let clinic = clinic::get(read)?;
    let here = Here { clinic: &clinic, origin: "" };
    if kind == fhir::slot::TYPE && version.is_none() {
        return lent(read, stamp, here, LoanId::from_bytes(id.into_bytes()));
    }
    let kept = if records::is_kept(kind) && version.is_none() {
        chart::by_id(read, stamp, ChartId::from_bytes(id.into_bytes()))
    } else {
        Err(Error::NotFound(prm::id::Noun::Chart))
    };
    let found = match kept {
        Ok(chart) if chart.kind == kind => records::of_chart(read, here, &chart),
        Ok(_) => return Ok(None),
        Err(Error::NotFound(_)) => {
            let own = (kind, &*id.to_string());
            let found = records::one(read, &Stamp::new(*stamp, None), here, own, version);
            found.map(without_names)
        }
        Err(error) => Err(error),
    };
    match found {
        Ok(Sought::Found(found)) => Ok(Some(found.resource)),
        Ok(Sought::Gone) | Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn without_names(sought: Sought) -> Sought {
    match sought {
        Sought::Found(mut found) => {
            reference::drop_displays(&mut found.resource);
            Sought::Found(found)
        }
        Sought::Gone => Sought::Gone,
    }
}

/// A slot that is lent to the hub, as long as it is: what the hub can offer. Its key towards the hub is an
/// identifier, in hexadecimal digits.
fn lent(
    read: &Read<'_>,
    stamp: &OfRecords,
    here: Here<'_>,
    id: LoanId,
) -> Result<Option<Resource>> {
    let loan = match loan::get(read, stamp, id) {
        Ok(loan) if loan.is_away => loan,
        Ok(_) | Err(Error::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let (free, status) = match loan.sale {
        None => (1, Status::Free),
        Some(_) => (0, Status::Busy),
    };
    let slot = Slot {
        id: loan.slot,
        practitioner: loan.practitioner,
        location: None,
        start: loan.slot.start(),
        end: loan.end,
        free,
        lent: true,
    };
    let mut resource = slot::write(&slot, status, None, here);
    let key = loans::key(loan.slot, loan.lane).0;
    let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    resource.set("identifier", vec![json!({ "system": SLOT_KEY, "value": digits })]);
    Ok(Some(resource))
}
