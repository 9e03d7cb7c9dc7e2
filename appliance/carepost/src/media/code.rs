//! The QR of an appointment in a photograph that somebody sent.

use std::io::Cursor;

use image::{ImageReader, Limits};
use prm::qr;
use rqrr::PreparedImage;

/// The widest and highest picture that is looked at, in dots.
const SIDE_MAX: u32 = 8_000;
/// Memory that looking at one takes, in bytes: a photograph of 24 million dots.
const MEMORY_MAX: u64 = 96 << 20;
/// A picture is made as small as this before it is looked at, in dots: a code is found in less.
const LOOKED_AT: u32 = 1_600;
/// As many codes are looked at in one picture.
const CODES_MAX: usize = 4;

/// The text of the signed QR that a picture shows, if it shows one. Nothing of it is believed here.
pub fn code_in(picture: &[u8]) -> Option<String> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(MEMORY_MAX);
    let mut reader = ImageReader::new(Cursor::new(picture)).with_guessed_format().ok()?;
    reader.limits(limits);
    let picture = reader.decode().ok()?.into_luma8();
    let (width, height) = picture.dimensions();
    let longest = width.max(height);
    let picture = if longest > LOOKED_AT {
        let smaller = |side: u32| (side * LOOKED_AT / longest).max(1);
        image::imageops::thumbnail(&picture, smaller(width), smaller(height))
    } else {
        picture
    };
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let dots = picture.as_raw();
    let mut seen = PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        dots.get(y * width + x).copied().unwrap_or(255)
    });
    let codes = seen.detect_grids().into_iter().take(CODES_MAX);
    let texts = codes.filter_map(|code| code.decode().ok()).map(|(_, text)| text);
    texts
        .map(|text| text.trim_end().to_owned())
        .find(|text| text.starts_with(qr::PREFIX) && text.len() == qr::TEXT_LENGTH)
}
