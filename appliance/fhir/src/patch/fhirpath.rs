//! The part of FHIRPath that says which element a patch means.
//!
//! Source: <http://hl7.org/fhirpath/N1/>.

/// A path, such as `Patient.telecom.where(system = 'phone').first()`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// The type of resource that it begins with.
    pub(super) type_: String,
    /// The steps from there.
    pub(super) steps: Vec<Step>,
}

/// One step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// An element.
    Name(String),
    /// One of those that were found, from 0.
    Index(usize),
    /// The first of them.
    First,
    /// The last of them.
    Last,
    /// Those of which an element is so.
    Where {
        /// The element, or one below it.
        names: Vec<String>,
        /// What it must be.
        equals: Literal,
    },
}

/// A value that is written in a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Literal {
    Text(String),
    Flag(bool),
}

/// The longest path, in bytes.
const PATH_BYTES_MAX: usize = 1024;

impl Path {
    /// Reads a path; none if it has anything else in it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > PATH_BYTES_MAX {
            return None;
        }
        let mut reader = Reader { rest: text.trim() };
        let type_ = reader.name()?.to_owned();
        let mut steps = Vec::new();
        while !reader.rest.is_empty() {
            steps.push(reader.step()?);
        }
        Some(Self { type_, steps })
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn step(&mut self) -> Option<Step> {
        if self.take("[") {
            let digits = self.while_(|letter| letter.is_ascii_digit());
            let index = digits.parse().ok()?;
            return self.take("]").then_some(Step::Index(index));
        }
        if !self.take(".") {
            return None;
        }
        let name = self.name()?;
        if !self.take("(") {
            return Some(Step::Name(name.to_owned()));
        }
        match name {
            "first" => self.take(")").then_some(Step::First),
            "last" => self.take(")").then_some(Step::Last),
            "where" => {
                let mut names = vec![self.spaced(Self::name)?.to_owned()];
                while self.take(".") {
                    names.push(self.name()?.to_owned());
                }
                self.spaced(|it| it.take("=").then_some(()))?;
                let equals = self.spaced(Self::literal)?;
                self.take(")").then_some(Step::Where { names, equals })
            }
            _ => None,
        }
    }

    fn take(&mut self, sign: &str) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn while_(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|letter| !fits(letter)).unwrap_or(self.rest.len());
        let (found, rest) = self.rest.split_at(end);
        self.rest = rest;
        found
    }

    /// The same with space before and after.
    fn spaced<T>(&mut self, read: impl Fn(&mut Self) -> Option<T>) -> Option<T> {
        self.rest = self.rest.trim_start();
        let found = read(self)?;
        self.rest = self.rest.trim_start();
        Some(found)
    }

    fn name(&mut self) -> Option<&'a str> {
        let name = self.while_(|letter| letter.is_ascii_alphanumeric());
        name.starts_with(|letter: char| letter.is_ascii_alphabetic()).then_some(name)
    }

    fn literal(&mut self) -> Option<Literal> {
        if !self.take("'") {
            return match self.name()? {
                "true" => Some(Literal::Flag(true)),
                "false" => Some(Literal::Flag(false)),
                _ => None,
            };
        }
        let mut text = String::new();
        let mut letters = self.rest.char_indices();
        loop {
            let (at, letter) = letters.next()?;
            match letter {
                '\'' => {
                    self.rest = &self.rest[at + 1..];
                    return Some(Literal::Text(text));
                }
                '\\' => text.push(escaped(letters.next()?.1)?),
                _ => text.push(letter),
            }
        }
    }
}

fn escaped(letter: char) -> Option<char> {
    Some(match letter {
        '\'' | '"' | '`' | '\\' | '/' => letter,
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'f' => '\u{c}',
        _ => return None,
    })
}
