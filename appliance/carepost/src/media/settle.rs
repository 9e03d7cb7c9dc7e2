//! What has come in parts is put together in its file, and what nobody knows of is removed.
//!
//! Parts are rows until the row of the whole says that it is kept: killed anywhere in between, it is put together again.
//! If a picture that somebody sent shows the code of a visit, it is as if they had written it.

use std::time::Duration;

use channels::media_type;
use prm::id::MediaId;
use prm::media::{self, Found, Whole};
use prm::message;
use prm::stamp::Stamp;
use tokio::time::{interval, sleep};

use super::code::code_in;
use super::{Finished, MediaError};
use crate::app::App;
use crate::connections::Stopping;
use crate::follow;

/// As many are put together in a row.
const AT_ONCE: u32 = 8;
/// After something could not be written it is tried again after this long.
const PAUSE: Duration = Duration::from_secs(30);
/// How often the folder is looked through.
const SWEEP_EVERY: Duration = Duration::from_secs(6 * 60 * 60);
/// The word for what is nothing that is shown or played.
const NOT_ALLOWED: &str = "not-allowed";

/// Puts together what is whole, and looks through the folder now and then, until `stopping`.
pub async fn serve(app: App, stopping: Stopping) {
    let mut changed = app.db.last_sequence();
    let mut sweeps = interval(SWEEP_EVERY);
    loop {
        changed.borrow_and_update();
        let pause = match settle(&app).await {
            Ok(true) => continue,
            Ok(false) => None,
            Err(error) => {
                tracing::warn!("a picture or sound is not kept yet: {error:#}; it is tried again");
                Some(PAUSE)
            }
        };
        tokio::select! {
            () = stopping.requested() => return,
            () = sleep(pause.unwrap_or_default()), if pause.is_some() => {}
            _ = sweeps.tick() => sweep(&app).await,
            // A closed log means that the box stops.
            told = follow::some(&mut changed), if pause.is_none() => if told.is_err() { return },
        }
    }
}

/// Puts together what is whole; whether there may be more.
///
/// # Errors
/// If it cannot be read or written now.
pub(super) async fn settle(app: &App) -> anyhow::Result<bool> {
    let stamp = Stamp::of_box(app.now());
    let whole = app.db.read(move |read| media::whole(read, &stamp, AT_ONCE)).await?;
    let more = whole.len() == AT_ONCE as usize;
    for one in whole {
        put_together(app, one).await?;
    }
    Ok(more)
}

async fn put_together(app: &App, Whole { id, reference, bytes }: Whole) -> anyhow::Result<()> {
    let stamp = Stamp::of_box(app.now());
    let whole = app.db.read(move |read| media::in_parts(read, &stamp, &reference)).await?;
    // Somebody else put it together meanwhile, or it was told otherwise.
    let Some(whole) = whole else { return Ok(()) };
    let known = media_type::of(&whole);
    let Some(media_type) = known else {
        tracing::warn!(%id, "what came is nothing that is shown or played; it is not kept");
        return end(app, id, Err(NOT_ALLOWED)).await;
    };
    let blobs = app.media.clone();
    let written = tokio::task::spawn_blocking(move || -> Result<_, MediaError> {
        // What an earlier try left is of the same bytes or of nobody.
        blobs.remove(id)?;
        let mut writer = blobs.begin(id)?;
        writer.append(0, &whole)?;
        let code = if media_type.starts_with("image/") { code_in(&whole) } else { None };
        Ok((writer.finish()?, code))
    });
    let (Finished { bytes: length, sha256 }, code) = written.await??;
    if length != bytes {
        anyhow::bail!("{id} was to have {bytes} bytes and has {length}");
    }
    let media_type = media_type.to_owned();
    end(app, id, Ok((Found { media_type, bytes, sha256 }, code))).await
}

/// Notes what came of it, and which code it shows.
async fn end(
    app: &App,
    id: MediaId,
    end: Result<(Found, Option<String>), &'static str>,
) -> anyhow::Result<()> {
    let stamp = Stamp::of_box(app.now());
    let write = app.db.write(move |tx| match &end {
        Ok((found, code)) => {
            let message = media::kept(tx, &stamp, id, found)?.message;
            match (message, code) {
                (Some(message), Some(code)) => message::shows(tx, &stamp, message, code),
                (_, _) => Ok(()),
            }
        }
        Err(why) => media::refused(tx, &stamp, id, why).map(drop),
    });
    write.await?;
    Ok(())
}

/// Gives up what never came, and removes files that nobody knows of.
async fn sweep(app: &App) {
    let now = app.now();
    let stamp = Stamp::of_box(now);
    let given_up =
        app.db.write(move |tx| Ok((media::give_up(tx, &stamp)?, media::forget_old(tx, &stamp)?)));
    match given_up.await {
        Ok((0, 0)) => {}
        Ok((gone, parts)) => tracing::info!(gone, parts, "pictures and sounds never came"),
        Err(error) => tracing::warn!(%error, "what never came is not given up; it is tried again"),
    }
    let looked = app.clone();
    let swept = tokio::task::spawn_blocking(move || {
        let is_known = |id: MediaId| -> anyhow::Result<bool> {
            match looked.db.read_blocking(|read| media::get(read, &stamp, id)) {
                Ok(_) => Ok(true),
                Err(prm::error::Error::NotFound(_)) => Ok(false),
                Err(error) => Err(error.into()),
            }
        };
        looked.media.sweep(now, is_known)
    });
    match swept.await {
        Ok(Ok(swept)) => {
            app.measures.gauge("carepost_media_files", swept.files as f64);
            app.measures.gauge("carepost_media_bytes", swept.bytes as f64);
            if swept.removed > 0 {
                tracing::info!(removed = swept.removed, "files were removed that nobody knew of");
            }
        }
        Ok(Err(error)) => tracing::warn!("the folder of pictures and sounds: {error:#}"),
        Err(_) => {}
    }
}

#[cfg(test)]
mod tests;
