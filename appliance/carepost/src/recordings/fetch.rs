//! Fetching one recording: where it may be asked for, from where it goes on, and what is taken.

use std::borrow::Cow;
use std::time::Duration;

use channels::media_type;
use prm::call::recording::{self, ENTITY_BYTES_MAX, Recording};
use prm::error::Error;
use prm::id::MediaId;
use prm::media::Found;
use prm::stamp::Stamp;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, LOCATION, RANGE,
};
use reqwest::{Client, Response, StatusCode, Url};

use super::{BYTES_MAX, hosts};
use crate::app::App;
use crate::media::{Blobs, Finished, MediaError, Writer};

/// The longest address, in bytes.
const ADDRESS_BYTES_MAX: usize = 2_048;
/// As often may it be sent elsewhere.
const REDIRECTS_MAX: usize = 5;
/// Within this a part of it comes, or it is cut off.
pub(super) const READ_TIME_MAX: Duration = Duration::from_secs(30);
/// Within this all of it comes, or it is gone on with later.
pub(super) const ANSWER_TIME_MAX: Duration = Duration::from_secs(600);
/// As many bytes are written at once.
const WRITTEN_AT_ONCE: usize = 256 << 10;
/// As many bytes say what it is.
const BEGINNING: u64 = 64;

/// Why one is not here.
pub(super) enum Failed {
    /// It may come another time.
    Later(Cow<'static, str>),
    /// It will not come, by a stable word.
    ForGood(&'static str),
    /// The records cannot be read or written.
    Records(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Records(error)
    }
}

impl From<MediaError> for Failed {
    fn from(error: MediaError) -> Self {
        match error {
            MediaError::TooLong => Self::ForGood("too-long"),
            MediaError::DiskFull(_)
            | MediaError::StoreFull
            | MediaError::Gap(_)
            | MediaError::Busy(_)
            | MediaError::NotThere(_)
            | MediaError::Damaged(_)
            | MediaError::File { .. } => {
                tracing::warn!(%error, "a recording is not written");
                Self::Later("not-written".into())
            }
        }
    }
}

fn later(why: &'static str) -> Failed {
    Failed::Later(why.into())
}

/// Fetches a recording, from where it was left.
pub(super) async fn fetch(app: &App, client: &Client, one: Recording) -> Result<Found, Failed> {
    let Recording { call, media, address, tries: _, entity } = one;
    let hosts = hosts(app);
    let url = allowed(&address, &hosts)?;
    let goes_on = entity.is_some();
    let mut writer = on_disk(&app.media, move |blobs| {
        if !goes_on || blobs.is_there(media) {
            // Of what is there nobody knows whether the rest belongs to it.
            blobs.remove(media)?;
        }
        blobs.begin(media)
    })
    .await?;
    let from = writer.length();
    let entity = entity.filter(|_| from > 0);
    let answer = ask(client, url, &hosts, entity.as_deref().map(|it| (from, it))).await?;
    let whole = match answer.status() {
        StatusCode::OK => {
            if from > 0 {
                // It is another one by now, or cannot be gone on with.
                drop(writer);
                writer = on_disk(&app.media, move |blobs| {
                    blobs.remove(media)?;
                    blobs.begin(media)
                })
                .await?;
            }
            let mark = strong_entity(answer.headers()).map(str::to_owned);
            let stamp = Stamp::of_box(app.now());
            let write = app.db.write(move |tx| recording::begun(tx, &stamp, call, mark.as_deref()));
            write.await?;
            content_length(answer.headers())
        }
        StatusCode::PARTIAL_CONTENT if from > 0 => {
            let (at, whole) = content_range(answer.headers()).ok_or(later("wrong-range"))?;
            if at != from
                || strong_entity(answer.headers()).is_some_and(|it| Some(it) != entity.as_deref())
            {
                return afresh(app, media, "wrong-range").await;
            }
            Some(whole)
        }
        StatusCode::RANGE_NOT_SATISFIABLE => return afresh(app, media, "wrong-range").await,
        StatusCode::GONE => return Err(Failed::ForGood("gone")),
        status => return Err(Failed::Later(format!("http-{}", status.as_u16()).into())),
    };
    if whole.is_some_and(|it| it > BYTES_MAX) {
        return Err(Failed::ForGood("too-long"));
    }
    let writer = read(answer, writer).await?;
    if whole.is_some_and(|it| it != writer.length()) {
        return Err(later("cut-off"));
    }
    if writer.length() == 0 {
        return Err(later("empty"));
    }
    let finished = on_disk(&app.media, move |_| writer.finish()).await?;
    let Finished { bytes, sha256 } = finished;
    let beginning = on_disk(&app.media, move |blobs| blobs.read(media, 0..BEGINNING)).await?;
    match media_type::of(&beginning).filter(|it| is_sound(it)) {
        Some(media_type) => Ok(Found { media_type: media_type.to_owned(), bytes, sha256 }),
        None => Err(Failed::ForGood("not-allowed")),
    }
}

/// What was fetched so far is let go, and it begins anew another time.
async fn afresh<T>(app: &App, media: MediaId, why: &'static str) -> Result<T, Failed> {
    on_disk(&app.media, move |blobs| blobs.remove(media)).await?;
    Err(later(why))
}

/// Does something with files, outside the runtime.
async fn on_disk<T: Send + 'static>(
    blobs: &Blobs,
    work: impl FnOnce(&Blobs) -> Result<T, MediaError> + Send + 'static,
) -> Result<T, Failed> {
    let blobs = blobs.clone();
    let done = tokio::task::spawn_blocking(move || work(&blobs)).await;
    Ok(done.map_err(|_| later("not-written"))??)
}

/// Where it may be asked for: by HTTPS, on its port, at a name of the settings. Whoever runs the box may still name the host,
/// so it is looked at again as long as any other recording that is not there yet.
fn allowed(address: &str, hosts: &[String]) -> Result<Url, Failed> {
    let url = Url::parse(address).ok().filter(|_| address.len() <= ADDRESS_BYTES_MAX);
    let url = url.ok_or(Failed::ForGood("not-allowed"))?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.port().is_none();
    let name = url.domain().filter(|_| is_plain && url.scheme() == "https");
    let name = name.ok_or(Failed::ForGood("not-allowed"))?;
    if !hosts.iter().any(|it| it == name) {
        tracing::warn!(
            host = name,
            "no recording is fetched from there; calls.recording_hosts does not name it"
        );
        return Err(later("host-not-named"));
    }
    Ok(url)
}

/// Asks, and follows where it is sent, each time by the same rules. `left` is how much there is already, and of what.
async fn ask(
    client: &Client,
    mut url: Url,
    hosts: &[String],
    left: Option<(u64, &str)>,
) -> Result<Response, Failed> {
    for _ in 0..=REDIRECTS_MAX {
        let mut request = client.get(url.clone()).header(ACCEPT_ENCODING, "identity");
        if let Some((from, entity)) = left {
            request = request.header(RANGE, format!("bytes={from}-")).header(IF_RANGE, entity);
        }
        let answer = request.send().await.map_err(|error| {
            tracing::debug!(error = %error.without_url(), "a recording was asked for");
            later("no-answer")
        })?;
        if !answer.status().is_redirection() {
            return Ok(answer);
        }
        let to = answer.headers().get(LOCATION).and_then(|it| it.to_str().ok());
        let to = to.and_then(|it| url.join(it).ok()).ok_or(later("sent-nowhere"))?;
        url = allowed(to.as_str(), hosts)?;
    }
    Err(later("sent-in-circles"))
}

/// Writes what comes. What was written stays when it is cut off.
async fn read(mut answer: Response, writer: Writer) -> Result<Writer, Failed> {
    let (mut writer, mut waiting) = (writer, Vec::new());
    loop {
        let chunk = answer.chunk().await;
        let is_last = !matches!(chunk, Ok(Some(_)));
        if let Ok(Some(bytes)) = &chunk {
            waiting.extend_from_slice(bytes);
            if writer.length() + waiting.len() as u64 > BYTES_MAX {
                return Err(Failed::ForGood("too-long"));
            }
        }
        if is_last || waiting.len() >= WRITTEN_AT_ONCE {
            let bytes = std::mem::take(&mut waiting);
            let written = tokio::task::spawn_blocking(move || {
                writer.append(writer.length(), &bytes)?;
                Ok::<_, MediaError>(writer)
            });
            writer = written.await.map_err(|_| later("not-written"))??;
        }
        match chunk {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(writer),
            Err(_) => return Err(later("cut-off")),
        }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// From where to the end it is, and how long all of it is (RFC 9110, section 14.4).
fn content_range(headers: &HeaderMap) -> Option<(u64, u64)> {
    let (range, whole) =
        headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?.split_once('/')?;
    let (from, to) = range.split_once('-')?;
    let (from, to, whole): (u64, u64, u64) =
        (from.parse().ok()?, to.parse().ok()?, whole.parse().ok()?);
    (from <= to && to.checked_add(1)? == whole).then_some((from, whole))
}

/// The mark of these very bytes, if the answer has one. A weak one says only that they mean the same.
fn strong_entity(headers: &HeaderMap) -> Option<&str> {
    let entity = headers.get(ETAG)?.to_str().ok()?;
    (entity.starts_with('"') && entity.len() <= ENTITY_BYTES_MAX).then_some(entity)
}

/// Whether it is what a recording can be.
fn is_sound(media_type: &str) -> bool {
    // Some recorders write sound alone into MP4 and name no brand for it.
    media_type.starts_with("audio/") || media_type == "video/mp4"
}
