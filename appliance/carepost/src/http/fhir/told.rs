//! Records as resources for the hub: as they are now, found by the id that the change log has.

use fhir::{Here, Resource, structure};
use prm::chart;
use prm::clinic;
use prm::db::Read;
use prm::error::{Error, Result};
use prm::id::ChartId;
use prm::stamp::Stamp as OfRecords;
use uuid::Uuid;

use super::records::{self, Sought};
use super::stamp::Stamp;

/// A record as a resource of this type; none if there is no such record, or it was deleted.
///
/// # Errors
/// Those of the database.
pub fn shown(read: &Read<'_>, stamp: &OfRecords, kind: &str, id: Uuid) -> Result<Option<Resource>> {
    let Some(kind) = structure::each_type().find(|type_| *type_ == kind) else { return Ok(None) };
    let clinic = clinic::get(read)?;
    let here = Here { clinic: &clinic, origin: "" };
    let kept = if records::is_kept(kind) {
        chart::by_id(read, stamp, ChartId::from_bytes(id.into_bytes()))
    } else {
        Err(Error::NotFound(prm::id::Noun::Chart))
    };
    let found = match kept {
        Ok(chart) if chart.kind == kind => records::of_chart(read, here, &chart),
        Ok(_) => return Ok(None),
        Err(Error::NotFound(_)) => {
            records::one(read, &Stamp::new(*stamp, None), here, (kind, &id.to_string()), None)
        }
        Err(error) => Err(error),
    };
    match found {
        Ok(Sought::Found(found)) => Ok(Some(found.resource)),
        Ok(Sought::Gone) | Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
