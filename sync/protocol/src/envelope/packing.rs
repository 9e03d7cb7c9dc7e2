//! zstd with bounds: neither a window nor an output that the other side chose.

use std::io::Read as _;

use zstd::bulk::Compressor;
use zstd::stream::raw::CParameter;
use zstd::stream::read::Decoder;

use super::BODY_MAX;

/// The largest window of a frame, as a power of two: 1 MiB. What it costs to unpack is this and the
/// body.
pub const WINDOW_LOG_MAX: u32 = 20;
/// Quick enough for a small processor; higher ones gain little with a dictionary.
const LEVEL: i32 = 6;

/// What both ends know beforehand about the bodies; makes small ones smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dictionary {
    /// Its number in envelopes; not 0.
    pub number: u64,
    /// A zstd dictionary.
    pub bytes: Vec<u8>,
}

pub fn pack(body: &[u8], dictionary: Option<&Dictionary>) -> std::io::Result<Vec<u8>> {
    let bytes = dictionary.map_or(&[][..], |it| &it.bytes);
    let mut compressor = Compressor::with_dictionary(LEVEL, bytes)?;
    compressor.set_parameter(CParameter::WindowLog(WINDOW_LOG_MAX))?;
    compressor.compress(body)
}

/// The body, if it is exactly one frame within the bounds.
pub fn unpack(packed: &[u8], dictionary: Option<&Dictionary>) -> Option<Vec<u8>> {
    let bytes = dictionary.map_or(&[][..], |it| &it.bytes);
    let mut decoder = Decoder::with_dictionary(packed, bytes).ok()?.single_frame();
    decoder.window_log_max(WINDOW_LOG_MAX).ok()?;
    let mut body = Vec::new();
    let limit = u64::try_from(BODY_MAX).ok()? + 1;
    decoder.by_ref().take(limit).read_to_end(&mut body).ok()?;
    let is_whole = body.len() <= BODY_MAX && decoder.finish().is_empty();
    is_whole.then_some(body)
}
