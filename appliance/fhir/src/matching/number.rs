//! Numbers, compared as they are written and not as the nearest binary fraction.
//!
//! Source: <https://hl7.org/fhir/R4/search.html#number>.

use std::cmp::Ordering;

use crate::search::Prefix;

/// The most digits that are compared; [`Decimal::parse`] reads no longer ones.
const DIGITS_MAX: usize = 18;
/// The furthest that the point is moved; [`Decimal::parse`] reads none that is moved further.
const SCALE_MAX: i32 = 9;

/// `digits * 10^-scale`
#[derive(Clone, Copy)]
pub(super) struct Decimal {
    digits: i128,
    scale: i32,
}

impl Decimal {
    /// Reads `-0.80` or `1e3`; none if it is longer than [`DIGITS_MAX`] and [`SCALE_MAX`] allow.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.len() + part.len() > DIGITS_MAX {
            return None;
        }
        let digits: i128 = format!("{whole}{part}").parse().ok()?;
        let scale = i32::try_from(part.len()).ok()?.checked_sub(exponent.parse().ok()?)?;
        (scale.abs() <= SCALE_MAX).then_some(Self { digits, scale })
    }

    /// The digits with `scale` of them after the point, which is at least as many as there are.
    fn at(self, scale: i32) -> i128 {
        let places = u32::try_from(scale - self.scale).unwrap_or(0);
        self.digits.saturating_mul(10_i128.saturating_pow(places))
    }

    fn compared(self, other: Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.at(scale).cmp(&other.at(scale))
    }

    /// `[self - part, self + part)` with `part` as digits at a scale.
    fn reaches(self, said: Self, part: Self) -> bool {
        let scale = self.scale.max(said.scale).max(part.scale);
        let distance = said.at(scale) - self.at(scale);
        let part = part.at(scale);
        -part <= distance && distance < part
    }
}

/// Whether a number fits: `eq` asks for what rounds to the digits that are written, `ap` for what is
/// within a tenth, the others for the number itself.
pub(super) fn fits(said: Decimal, prefix: Prefix, asked: &str) -> bool {
    let Some(asked) = Decimal::parse(asked) else { return false };
    let rounds = asked.reaches(said, Decimal { digits: 5, scale: asked.scale + 1 });
    let compared = said.compared(asked);
    match prefix {
        Prefix::Eq => rounds,
        Prefix::Ne => !rounds,
        Prefix::Gt | Prefix::Sa => compared == Ordering::Greater,
        Prefix::Lt | Prefix::Eb => compared == Ordering::Less,
        Prefix::Ge => compared != Ordering::Less,
        Prefix::Le => compared != Ordering::Greater,
        Prefix::Ap => {
            let tenth = Decimal { digits: asked.digits.abs(), scale: asked.scale + 1 };
            compared == Ordering::Equal || asked.reaches(said, tenth)
        }
    }
}
