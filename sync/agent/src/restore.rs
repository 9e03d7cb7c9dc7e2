//! A box that takes another's place gets back what the hub holds of the clinic: page by page, each sealed.

use std::io;
use std::path::Path;

use prm::change;
use prm::db::Db;
use prm::hub;
use ring::rand::{SecureRandom as _, SystemRandom};
use sync_protocol::envelope::{ENVELOPE_MAX, MEDIA_TYPE};
use sync_protocol::ledger::Key;
use sync_protocol::restore::{Restore, Restored};

use crate::keys::BoxKeys;
use crate::sealed;
use crate::{Fault, Meter, http};

/// Where it is asked for, behind the hub's address.
const RESTORE: &str = "/v1/restore";
/// How often one page is asked for while the line is bad.
const TRIES_MAX: u32 = 5;

/// Why not everything came.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The hub or the line.
    #[error(transparent)]
    Hub(#[from] Fault),
    /// What came could not be kept.
    #[error("what the hub sent cannot be kept: {0}; make room on the disk, and try again")]
    Disk(#[from] io::Error),
    /// The box has joined no hub.
    #[error("this box has joined no hub; join one with `carepost enroll`")]
    Alone,
}

/// Fetches everything that the hub holds; `keep` hears of each record what it says, in the order of
/// their keys. Answers how many there are.
///
/// # Errors
/// [`RestoreError`]; then it is to be begun anew.
pub async fn fetch(
    db: &Db,
    keys_folder: &Path,
    mut keep: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<u64, RestoreError> {
    let found = db.read(|read| Ok((hub::get(read)?, change::log_id(read)?))).await;
    let (hub, log) = found.map_err(Fault::from)?;
    let hub = hub.ok_or(RestoreError::Alone)?;
    let keys = BoxKeys::load(keys_folder).map_err(Fault::from)?;
    let client = http::client().map_err(Fault::from)?;
    let url = format!("{}{RESTORE}", hub.url);
    let (mut after, mut all): (Option<Key>, u64) = (None, 0);
    loop {
        let mut tries = 0;
        let Restored { nonce: _, records, last } = loop {
            tries += 1;
            let mut nonce = [0; 16];
            SystemRandom::new().fill(&mut nonce).map_err(|_| Fault::Seal)?;
            let question = Restore { after: after.clone(), nonce };
            let envelope = sealed::to_hub((&hub, &keys), log, &question)?;
            let asked = http::post(
                (&client, &Meter::default()),
                &url,
                (MEDIA_TYPE, envelope),
                ENVELOPE_MAX,
            )
            .await;
            match asked {
                Ok((status, bytes)) if status == reqwest::StatusCode::OK => {
                    let page: Restored =
                        sealed::from_hub((&hub, &keys), log, &bytes).ok_or(Fault::Receipt)?;
                    let goes_on =
                        page.records.first().is_none_or(|it| Some(&it.key) > after.as_ref());
                    if page.nonce != nonce || !goes_on {
                        return Err(Fault::Receipt.into());
                    }
                    break page;
                }
                Ok((status, _)) if tries >= TRIES_MAX || status.is_client_error() => {
                    return Err(Fault::Refused(status.as_u16()).into());
                }
                Err(error) if tries >= TRIES_MAX => return Err(Fault::from(error).into()),
                Ok(_) | Err(_) => {}
            }
        };
        for record in &records {
            keep(&record.body)?;
            all += 1;
        }
        if last {
            return Ok(all);
        }
        after = records.into_iter().next_back().map(|it| it.key);
    }
}
