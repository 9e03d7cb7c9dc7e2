//! The signed QR of an appointment as a picture, where pictures are shown.
//!
//! Reception says the code as words alone. By WhatsApp it goes as a picture with the code beside it.

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _};
use prm::content::Content;
use prm::medium::Medium;
use prm::qr;
use qrcode::{Color, EcLevel, QrCode};

/// The media type of the picture.
pub const PNG: &str = "image/png";
/// Dots of the picture for each dot of the QR: sharp on a telephone and still a few kilobytes.
const SCALE: usize = 10;
/// White dots around it, which readers need (ISO/IEC 18004, 9.1).
const QUIET: usize = 4;

/// A code, and the picture of it.
pub struct CodePicture {
    /// The code, as words.
    pub code: String,
    /// The bytes of the picture, a PNG of at most some 16 KiB.
    pub bytes: Vec<u8>,
}

impl CodePicture {
    /// The picture of what is said, if that is a code and goes by a medium that shows pictures.
    pub fn of(content: &Content, medium: Medium) -> Option<Self> {
        let Content::Text { text } = content else { return None };
        let is_code = text.starts_with(qr::PREFIX) && text.len() == qr::TEXT_LENGTH;
        let bytes = (is_code && medium == Medium::Whatsapp).then(|| png(text)).flatten()?;
        Some(Self { code: text.clone(), bytes })
    }
}

/// The QR of a text.
fn png(text: &str) -> Option<Vec<u8>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let (dots, across) = (code.to_colors(), code.width());
    let side = (across + 2 * QUIET) * SCALE;
    let is_dark = |x: usize, y: usize| {
        let place = |at: usize| (at / SCALE).checked_sub(QUIET).filter(|at| *at < across);
        let (column, row) = (place(x)?, place(y)?);
        dots.get(row * across + column).map(|dot| *dot == Color::Dark)
    };
    let grey = |at: usize| if is_dark(at % side, at / side) == Some(true) { 0 } else { 255 };
    let picture: Vec<u8> = (0..side * side).map(grey).collect();
    let side = u32::try_from(side).ok()?;
    let mut png = Vec::new();
    PngEncoder::new(&mut png).write_image(&picture, side, side, ExtendedColorType::L8).ok()?;
    Some(png)
}
