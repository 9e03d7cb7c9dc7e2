//! Telephone numbers, dates of birth, names and e-mail addresses: raw input becomes a checked value here.

use std::fmt;

use jiff::civil::Date;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The longest telephone number that is read, in bytes of input.
const PHONE_INPUT_MAX: usize = 64;
/// The longest name, in letters.
pub const NAME_LETTERS_MAX: usize = 200;
/// The longest free text, such as a reason, in letters.
pub const TEXT_LETTERS_MAX: usize = 2_000;
/// The longest tag of a language (RFC 5646, section 4.4.1, asks for 35).
const LANGUAGE_MAX: usize = 35;
/// The earliest year of birth.
const BIRTH_YEAR_MIN: i16 = 1880;

/// A telephone number in E.164 form, for example `+919844111173`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Phone(String);

impl Phone {
    /// Reads a number in any national or international form; digits may be of any script.
    /// `country` (ISO 3166-1) is that of numbers without a country code.
    pub fn parse(text: &str, country: &str) -> Result<Self> {
        let wrong = || {
            Error::invalid(
                "phone",
                "this is not a telephone number; write it with its area code, or with + and the country code",
            )
        };
        if text.len() > PHONE_INPUT_MAX {
            return Err(wrong());
        }
        let ascii = ascii_digits(text);
        // Only what belongs in a written number goes to the parser.
        if !ascii.chars().all(|c| c.is_ascii_digit() || " +-().\u{a0}/".contains(c)) {
            return Err(wrong());
        }
        let country = country.parse::<phonenumber::country::Id>().map_err(|_| wrong())?;
        let ascii = ascii.trim();
        // A country that is told to the parser takes its own prefix off foreign numbers, too: the
        // 1 of North America off Delhi's 11.
        let country = (!ascii.starts_with('+')).then_some(country);
        let number = phonenumber::parse(country, ascii).map_err(|_| wrong())?;
        if !phonenumber::is_valid(&number) {
            return Err(wrong());
        }
        Ok(Self(number.format().mode(phonenumber::Mode::E164).to_string()))
    }

    /// A number that was stored by `parse`.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The number with its plus sign.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last four digits behind dots, for screens that others can see.
    pub fn masked(&self) -> String {
        let tail = self.0.len().saturating_sub(4);
        format!("••••••{}", self.0.get(tail..).unwrap_or_default())
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Phone {
    /// The number is personal: logs never show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)")
    }
}

/// A date of birth of which the day, or the month and the day, may be unknown (FHIR `date`).
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BirthDate {
    /// Only the year is known.
    Year(i16),
    /// Year and month.
    Month(i16, i8),
    /// The whole date.
    Day(Date),
}

impl BirthDate {
    /// Reads `1984`, `1984-05` or `1984-05-02`; digits may be of any script.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            Error::invalid("birth_date", "write the date of birth as 1984-05-02, 1984-05 or 1984")
        };
        if text.len() > 40 {
            return Err(wrong());
        }
        let ascii = ascii_digits(text.trim());
        let parts: Vec<&str> = ascii.split('-').collect();
        let number = |part: &str, digits: usize| -> Result<i16> {
            if part.len() != digits || !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(wrong());
            }
            part.parse().map_err(|_| wrong())
        };
        let date = match parts.as_slice() {
            [year] => Self::Year(number(year, 4)?),
            [year, month] => {
                let month = i8::try_from(number(month, 2)?).map_err(|_| wrong())?;
                if !(1..=12).contains(&month) {
                    return Err(wrong());
                }
                Self::Month(number(year, 4)?, month)
            }
            [year, month, day] => {
                let month = i8::try_from(number(month, 2)?).map_err(|_| wrong())?;
                let day = i8::try_from(number(day, 2)?).map_err(|_| wrong())?;
                Self::Day(Date::new(number(year, 4)?, month, day).map_err(|_| wrong())?)
            }
            [] | [_, _, _, ..] => return Err(wrong()),
        };
        if date.year() < BIRTH_YEAR_MIN {
            return Err(Error::invalid("birth_date", "the year of birth is 1880 or later"));
        }
        Ok(date)
    }

    /// Refuses a birth after `today`.
    pub fn not_after(self, today: Date) -> Result<Self> {
        let (year, month, day) = self.parts();
        let born = (year, month.unwrap_or(1), day.unwrap_or(1));
        if born > (today.year(), today.month(), today.day()) {
            return Err(Error::invalid("birth_date", "the date of birth is in the future"));
        }
        Ok(self)
    }

    /// The year.
    pub fn year(self) -> i16 {
        self.parts().0
    }

    /// Whether both may be the same birth: what both know is equal.
    pub fn agrees_with(self, other: Self) -> bool {
        let (year, month, day) = self.parts();
        let (other_year, other_month, other_day) = other.parts();
        let same = |a: Option<i8>, b: Option<i8>| a.is_none() || b.is_none() || a == b;
        year == other_year && same(month, other_month) && same(day, other_day)
    }

    fn parts(self) -> (i16, Option<i8>, Option<i8>) {
        match self {
            Self::Year(year) => (year, None, None),
            Self::Month(year, month) => (year, Some(month), None),
            Self::Day(date) => (date.year(), Some(date.month()), Some(date.day())),
        }
    }
}

impl fmt::Display for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year(year) => write!(f, "{year:04}"),
            Self::Month(year, month) => write!(f, "{year:04}-{month:02}"),
            Self::Day(date) => write!(f, "{date}"),
        }
    }
}

impl fmt::Debug for BirthDate {
    /// A date of birth is personal: logs never show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BirthDate(…)")
    }
}

/// A name or a title: trimmed, inner white space made single, no control characters.
pub fn name(field: &'static str, text: &str) -> Result<String> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.chars().all(is_invisible) {
        return Err(Error::invalid(field, format!("{field} is empty")));
    }
    let is_control = |c: char| c.is_control() || turns_the_line(c);
    if name.chars().count() > NAME_LETTERS_MAX || name.chars().any(is_control) {
        return Err(Error::invalid(
            field,
            format!("{field} has at most {NAME_LETTERS_MAX} letters and no control characters"),
        ));
    }
    Ok(name)
}

/// Characters that show nothing by themselves. Beside letters they belong: the scripts of India
/// need joiners.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// Characters that turn the direction of all that follows (Unicode, UAX #9, embeddings, overrides
/// and isolates): a name with one would show what stands beside it backwards.
fn turns_the_line(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A free text that may be missing: trimmed, bounded; an empty one is none.
pub fn text(field: &'static str, text: Option<String>) -> Result<Option<String>> {
    let Some(text) = text else { return Ok(None) };
    let text = text.trim();
    if text.chars().count() > TEXT_LETTERS_MAX
        || text.chars().any(|c| c.is_control() && c != '\n' && c != '\t')
    {
        return Err(Error::invalid(
            field,
            format!("{field} has at most {TEXT_LETTERS_MAX} letters and no control characters"),
        ));
    }
    Ok(if text.is_empty() { None } else { Some(text.to_owned()) })
}

/// A reason that must be given.
pub fn reason(field: &'static str, given: Option<String>) -> Result<String> {
    text(field, given)?.ok_or_else(|| Error::invalid(field, "say why"))
}

/// An e-mail address: something before and after one @, without white space (the mail
/// server of the address is the only judge of the rest, RFC 5321).
pub fn email(text: Option<String>) -> Result<Option<String>> {
    let Some(text) = self::text("email", text)? else { return Ok(None) };
    let wrong = || Error::invalid("email", "this is not an e-mail address");
    let (local, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
    let plausible = !local.is_empty()
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && text.len() <= 254
        && !text.chars().any(char::is_whitespace)
        && !local.contains('@');
    if plausible { Ok(Some(text)) } else { Err(wrong()) }
}

/// The tag of a language (BCP 47), such as `en` or `kn-IN`.
pub fn language(text: &str) -> Result<String> {
    let text = text.trim();
    let is_tag = (2..=LANGUAGE_MAX).contains(&text.len())
        && text.split('-').all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        });
    if is_tag {
        Ok(text.to_owned())
    } else {
        Err(Error::invalid("language", "a language is written as en, hi or kn-IN"))
    }
}

/// The text with decimal digits of the scripts of India, Arabic and Persian made ASCII.
pub fn ascii_digits(text: &str) -> String {
    /// The zero of each script; its nine others follow it (Unicode, category Nd).
    const ZEROS: [u32; 13] = [
        0x0660, 0x06F0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
        0x1C50, 0xFF10,
    ];
    text.chars()
        .map(|c| {
            let code = u32::from(c);
            ZEROS
                .iter()
                .find_map(|zero| char::from_digit(code.checked_sub(*zero)?, 10))
                .unwrap_or(c)
        })
        .collect()
}

#[cfg(test)]
mod tests;
