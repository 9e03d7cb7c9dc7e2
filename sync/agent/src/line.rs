//! The line to the hub: it takes an envelope there and brings the answer back.
//!
//! Whoever speaks knows nothing of it but this. So a test can stand in its place, and lose, hold back
//! and double what is said, while all that is said and heard is the box's own.

use reqwest::{Client, StatusCode};
use sync_protocol::envelope::{ENVELOPE_MAX, MEDIA_TYPE};

use crate::Fault;
use crate::http::{self, HttpError};
use crate::meter::Meter;

/// Takes an envelope to an address of the hub, and answers the envelope that comes back.
pub trait Line: Send {
    /// One exchange.
    ///
    /// # Errors
    /// [`Fault::Http`] without an answer, [`Fault::Refused`] if it is another than 200.
    fn exchange(
        &mut self,
        url: String,
        envelope: Vec<u8>,
    ) -> impl Future<Output = Result<Vec<u8>, Fault>> + Send;
}

/// The line that a box has. Its client is made when it is first needed, because that reads all
/// certificates of the system.
#[derive(Default)]
pub struct Internet {
    client: Option<Client>,
    meter: Meter,
}

impl Internet {
    /// What it costs is counted here.
    pub fn counted(meter: Meter) -> Self {
        Self { client: None, meter }
    }

    /// What asks, and what counts.
    ///
    /// # Errors
    /// [`HttpError::Trust`].
    pub(crate) fn client(&mut self) -> Result<(&Client, &Meter), HttpError> {
        let client = match self.client.take() {
            Some(client) => client,
            None => http::client()?,
        };
        Ok((self.client.insert(client), &self.meter))
    }
}

impl Line for Internet {
    async fn exchange(&mut self, url: String, envelope: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let client = self.client()?;
        let (status, bytes) =
            http::post(client, &url, (MEDIA_TYPE, envelope), ENVELOPE_MAX).await?;
        if status != StatusCode::OK {
            return Err(Fault::Refused(status.as_u16()));
        }
        Ok(bytes)
    }
}
