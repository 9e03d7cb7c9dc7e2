//! Why nothing of a picture or sound comes: a part without bytes says it by a word.

use super::Part;

/// Why nothing of a picture or sound comes, now or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Whoever carried it does not have it, or did not hand it out for too long.
    Gone,
    /// It is longer than [`super::MEDIA_BYTES_MAX`].
    TooLong,
    /// It is nothing that a desk shows or plays, or lies where nothing is fetched from.
    NotAllowed,
}

impl Missing {
    const ALL: [Self; 3] = [Self::Gone, Self::TooLong, Self::NotAllowed];

    /// The word, which stays as it is.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::TooLong => "too-long",
            Self::NotAllowed => "not-allowed",
        }
    }

    /// What this word means, if it is known here.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

impl Part {
    /// Says that nothing of it comes: `whole` is 0, and the word stands where the media type would.
    pub fn none(reference: &str, why: Missing) -> Self {
        Self {
            reference: reference.to_owned(),
            media_type: why.as_str().to_owned(),
            at: 0,
            whole: 0,
            bytes: Vec::new(),
        }
    }

    /// Why nothing of it comes, if that is what this part says. What a later version says is [`Missing::Gone`].
    pub fn missing(&self) -> Option<Missing> {
        (self.whole == 0).then(|| Missing::parse(&self.media_type).unwrap_or(Missing::Gone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heard::PART_BYTES_MAX;

    #[test]
    fn a_part_says_why_nothing_comes_or_holds_something() {
        for why in Missing::ALL {
            assert_eq!(Part::none("77", why).missing(), Some(why));
        }
        let parts = Part::of("77", "image/png", &vec![1; PART_BYTES_MAX + 1]);
        assert_eq!(
            parts.iter().map(|it| (it.at, it.missing())).collect::<Vec<_>>(),
            [(0, None), (PART_BYTES_MAX as u64, None)]
        );
    }
}
