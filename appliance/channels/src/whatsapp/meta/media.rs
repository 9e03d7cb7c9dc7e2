//! Pictures and sounds at Meta: looked up, then fetched; or handed over before the message that holds them.

use serde::Deserialize;

use super::sending::{Account, GRAPH, outcome};
use crate::heard::{MEDIA_BYTES_MAX, Missing};
use crate::whatsapp::fetch::{Fetch, NotFound, host, is_at};
use crate::whatsapp::{NotWritable, Outcome, Request};

/// Where Meta keeps what people send.
const HOSTS: [&str; 2] = ["lookaside.fbsbx.com", ".whatsapp.net"];
/// The longest id of something at Meta, in bytes.
const ID_BYTES_MAX: usize = 64;

/// What a reference stands for: known for five minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How it is fetched.
    pub fetch: Fetch,
    /// Its media type, as Meta says it.
    pub media_type: String,
    /// How long it is.
    pub bytes: u64,
}

/// Asks where something is that a message names. `home` is where the account's provider is, if that is not Meta itself.
///
/// # Errors
/// [`NotWritable`].
pub fn look_up(
    account: &Account<'_>,
    home: Option<&str>,
    reference: &str,
) -> Result<Fetch, NotWritable> {
    let is_id = (1..=ID_BYTES_MAX).contains(&reference.len())
        && reference.bytes().all(|it| it.is_ascii_digit());
    if !is_id {
        return Err(NotWritable("this is no id of something at Meta"));
    }
    let Account { phone_number_id, access_token: _, version } = account;
    let base = home.unwrap_or(GRAPH);
    Ok(Fetch {
        address: format!("{base}/{version}/{reference}?phone_number_id={phone_number_id}"),
        authorization: authorization(account),
        at_home: home.is_some(),
    })
}

/// Asks for what lies at an address of Meta's or of `home`, also where an answer led on to it.
///
/// # Errors
/// [`NotWritable`], if it is anywhere else.
pub fn fetch(
    account: &Account<'_>,
    home: Option<&str>,
    address: &str,
) -> Result<Fetch, NotWritable> {
    let at_home = is_at(home, address);
    if !at_home {
        host(address, &HOSTS)?;
    }
    Ok(Fetch { address: address.to_owned(), authorization: authorization(account), at_home })
}

fn authorization(account: &Account<'_>) -> Option<String> {
    Some(format!("Bearer {}", account.access_token))
}

#[derive(Deserialize)]
struct Answer {
    url: String,
    mime_type: String,
    #[serde(default)]
    file_size: u64,
}

/// What is answered to [`look_up`].
///
/// # Errors
/// [`NotFound`], also if it is too long or somewhere else than at Meta.
pub fn looked_up(
    account: &Account<'_>,
    home: Option<&str>,
    (status, body): (u16, &[u8]),
) -> Result<Found, NotFound> {
    let answer = serde_json::from_slice::<Answer>(body).ok().filter(|_| status == 200);
    let Some(answer) = answer else {
        return Err(match outcome(status, None, None, body) {
            Outcome::Refused { code: _ } => NotFound::Never(Missing::Gone),
            Outcome::Accepted(code) | Outcome::Later { code, .. } | Outcome::Locked { code } => {
                NotFound::Later { code }
            }
        });
    };
    if answer.file_size > MEDIA_BYTES_MAX as u64 {
        return Err(NotFound::Never(Missing::TooLong));
    }
    let fetch = fetch(account, home, &answer.url);
    let fetch = fetch.map_err(|_| NotFound::Never(Missing::NotAllowed))?;
    Ok(Found { fetch, media_type: answer.mime_type, bytes: answer.file_size })
}

/// Hands over a picture or sound: what is answered is the id to write a message with. `nonce` parts it from what it holds,
/// and is in no such bytes by chance.
///
/// # Errors
/// [`NotWritable`].
pub fn hand_over(
    account: &Account<'_>,
    media_type: &str,
    bytes: &[u8],
    nonce: u128,
) -> Result<Request, NotWritable> {
    let is_type = media_type.len() <= 128
        && media_type.bytes().all(|it| it.is_ascii_alphanumeric() || b"/+-.;= ".contains(&it));
    if !is_type || bytes.len() > MEDIA_BYTES_MAX {
        return Err(NotWritable("this picture or sound is not one that Meta takes"));
    }
    let boundary = format!("carepost-{nonce:032x}");
    let head = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"messaging_product\"\r\n\r\nwhatsapp\r\n\
         --{boundary}\r\ncontent-disposition: form-data; name=\"type\"\r\n\r\n{media_type}\r\n\
         --{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"media\"\r\n\
         content-type: {media_type}\r\n\r\n"
    );
    let end = format!("\r\n--{boundary}--\r\n");
    Ok(Request {
        path: format!("/{}/{}/media", account.version, account.phone_number_id),
        headers: vec![
            ("authorization", format!("Bearer {}", account.access_token)),
            ("content-type", format!("multipart/form-data; boundary={boundary}")),
        ],
        body: [head.as_bytes(), bytes, end.as_bytes()].concat(),
    })
}

#[derive(Deserialize)]
struct HandedOver {
    id: String,
}

/// What is answered to [`hand_over`].
pub fn handed_over(status: u16, retry_after: Option<&str>, body: &[u8]) -> Outcome {
    let id = serde_json::from_slice::<HandedOver>(body).ok().map(|it| it.id);
    outcome(status, retry_after, id, body)
}
