//! Where the resources of a file are: one JSON object after the other, lines of NDJSON, or the entries
//! of a Bundle. Only places are noted, so that a file of any size takes the same memory.
//!
//! A line of NDJSON that is broken does not hide the next; in any other file what follows a break
//! cannot be told apart and is not looked at.

use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;

/// The longest key or short text that is looked at while places are noted, in bytes.
const TEXT_BYTES_MAX: usize = 4 * 1024;

/// Something that was seen in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Here lies a resource, as far as can be told from outside.
    Resource(Spot),
    /// An entry of a Bundle that deletes, or has no resource.
    NoResource {
        /// The line.
        line: u64,
    },
    /// The file cannot be understood from here on, or in this line of NDJSON.
    Broken {
        /// The line.
        line: u64,
        /// What is wrong.
        why: &'static str,
    },
}

/// The place of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Its first byte.
    pub start: u64,
    /// Its bytes.
    pub length: u64,
    /// The `fullUrl` of its entry.
    pub full_url: Option<String>,
}

/// Whether a file is read line by line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// NDJSON: a broken line is one line.
    Lines,
    /// JSON documents, one after the other.
    Documents,
}

/// What takes what is seen; it may say that it is enough.
pub type Take<'a> = dyn FnMut(Seen) -> ControlFlow<()> + 'a;

/// Bytes with their place and line.
pub struct Bytes<R> {
    inner: R,
    at: u64,
    line: u64,
}

/// Why the bytes could not be read on.
enum Stop {
    Io(io::Error),
    Broken(&'static str),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

const CUT: &str = "the file ends in the middle; send it again";
const NOT_JSON: &str = "this is not JSON; nothing behind it in this file was looked at";

/// What a document is, as far as it could be read.
#[derive(Default)]
struct Head {
    start: u64,
    line: u64,
    is_bundle: bool,
    /// Where its list `entry` begins, and on which line.
    entry: Option<(u64, u64)>,
}

impl<R: BufRead> Bytes<R> {
    /// Bytes of which the first is at this place and on this line.
    pub fn new(inner: R, at: u64, line: u64) -> Self {
        Self { inner, at, line }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.inner.fill_buf()?.first().copied())
    }

    fn next(&mut self) -> Result<u8, Stop> {
        let byte = self.peek()?.ok_or(Stop::Broken(CUT))?;
        self.inner.consume(1);
        self.at += 1;
        self.line += u64::from(byte == b'\n');
        Ok(byte)
    }

    /// The next byte that is no space, not taken.
    fn beyond_space(&mut self) -> Result<Option<u8>, Stop> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\t' | b'\r' | b'\n') => {
                    self.next()?;
                }
                // A mark of the byte order, which some systems put first.
                Some(0xEF) if self.at == 0 => {
                    for _ in 0..3 {
                        self.next()?;
                    }
                }
                other => return Ok(other),
            }
        }
    }

    fn must_be(&mut self, wanted: u8) -> Result<(), Stop> {
        match self.beyond_space()? {
            Some(byte) if byte == wanted => self.next().map(drop),
            Some(_) => Err(Stop::Broken(NOT_JSON)),
            None => Err(Stop::Broken(CUT)),
        }
    }

    /// Passes a string, whose opening quote was taken; answers it if it is short.
    fn string(&mut self) -> Result<Option<String>, Stop> {
        let mut raw = vec![b'"'];
        loop {
            let byte = self.next()?;
            if raw.len() <= TEXT_BYTES_MAX {
                raw.push(byte);
            }
            match byte {
                b'"' => break,
                b'\\' => {
                    let escaped = self.next()?;
                    if raw.len() <= TEXT_BYTES_MAX {
                        raw.push(escaped);
                    }
                }
                _ => {}
            }
        }
        Ok(serde_json::from_slice(&raw).ok())
    }

    /// Passes a string without keeping it.
    fn pass_string(&mut self) -> Result<(), Stop> {
        loop {
            match self.next()? {
                b'"' => return Ok(()),
                b'\\' => {
                    self.next()?;
                }
                _ => {}
            }
        }
    }

    /// Passes a value; answers where it begins and how long it is.
    fn pass(&mut self) -> Result<(u64, u64), Stop> {
        let first = self.beyond_space()?.ok_or(Stop::Broken(CUT))?;
        let start = self.at;
        match first {
            b'"' => {
                self.next()?;
                self.pass_string()?;
            }
            b'{' | b'[' => {
                let mut depth = 0_u64;
                loop {
                    match self.next()? {
                        b'"' => self.pass_string()?,
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
            b'}' | b']' | b',' | b':' => return Err(Stop::Broken(NOT_JSON)),
            _ => {
                while let Some(byte) = self.peek()? {
                    if matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n') {
                        break;
                    }
                    self.next()?;
                }
            }
        }
        Ok((start, self.at - start))
    }

    /// Goes through the members of an object; `with` is asked to pass each value.
    fn members(
        &mut self,
        mut with: impl FnMut(&mut Self, &str) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.must_be(b'{')?;
        if self.beyond_space()? == Some(b'}') {
            return self.next().map(drop);
        }
        loop {
            self.must_be(b'"')?;
            let key = self.string()?.unwrap_or_default();
            self.must_be(b':')?;
            with(self, &key)?;
            match self.beyond_space()? {
                Some(b',') => self.next().map(drop)?,
                Some(b'}') => return self.next().map(drop),
                Some(_) => return Err(Stop::Broken(NOT_JSON)),
                None => return Err(Stop::Broken(CUT)),
            }
        }
    }

    /// Passes a document and says what it is.
    fn head(&mut self, head: &mut Head) -> Result<(), Stop> {
        self.beyond_space()?;
        (head.start, head.line) = (self.at, self.line);
        self.members(|bytes, key| {
            let next = bytes.beyond_space()?;
            match (key, next) {
                ("resourceType", Some(b'"')) => {
                    bytes.next()?;
                    head.is_bundle = bytes.string()?.as_deref() == Some("Bundle");
                }
                ("entry", Some(b'[')) => {
                    head.entry = Some((bytes.at, bytes.line));
                    bytes.pass()?;
                }
                (_, _) => {
                    bytes.pass()?;
                }
            }
            Ok(())
        })
    }

    /// Tells the entries of a Bundle, whose list begins here.
    fn entries(&mut self, take: &mut Take<'_>) -> Result<ControlFlow<()>, Stop> {
        self.must_be(b'[')?;
        if self.beyond_space()? == Some(b']') {
            return Ok(ControlFlow::Continue(()));
        }
        loop {
            self.beyond_space()?;
            let line = self.line;
            let (mut found, mut full_url) = (None, None);
            self.members(|bytes, key| {
                let next = bytes.beyond_space()?;
                match (key, next) {
                    ("fullUrl", Some(b'"')) => {
                        bytes.next()?;
                        full_url = bytes.string()?;
                    }
                    ("resource", Some(b'{')) => {
                        let line = bytes.line;
                        let (start, length) = bytes.pass()?;
                        found = Some((line, start, length));
                    }
                    (_, _) => {
                        bytes.pass()?;
                    }
                }
                Ok(())
            })?;
            let seen = match found {
                Some((line, start, length)) => {
                    Seen::Resource(Spot { line, start, length, full_url })
                }
                None => Seen::NoResource { line },
            };
            if take(seen).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            match self.beyond_space()? {
                Some(b',') => self.next().map(drop)?,
                Some(b']') => return Ok(ControlFlow::Continue(())),
                Some(_) => return Err(Stop::Broken(NOT_JSON)),
                None => return Err(Stop::Broken(CUT)),
            }
        }
    }
}

/// Tells what is in a file. `open` opens it at a byte.
///
/// # Errors
/// If the file cannot be read.
pub fn scan<R: Read>(
    form: Form,
    open: &mut dyn FnMut(u64) -> io::Result<io::BufReader<R>>,
    take: &mut Take<'_>,
) -> io::Result<()> {
    match form {
        Form::Lines => lines(&mut Bytes::new(open(0)?, 0, 1), take),
        Form::Documents => documents(open, take),
    }
}

fn lines<R: BufRead>(bytes: &mut Bytes<R>, take: &mut Take<'_>) -> io::Result<()> {
    loop {
        match bytes.beyond_space() {
            Ok(Some(_)) => {}
            Ok(None) | Err(Stop::Broken(_)) => return Ok(()),
            Err(Stop::Io(error)) => return Err(error),
        }
        let (start, line) = (bytes.at, bytes.line);
        let mut length = 0_u64;
        loop {
            let buffer = bytes.inner.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(buffer.len(), |end| end + 1);
            length += end.unwrap_or(taken) as u64;
            bytes.inner.consume(taken);
            bytes.at += taken as u64;
            if end.is_some() {
                bytes.line += 1;
                break;
            }
        }
        if take(Seen::Resource(Spot { line, start, length, full_url: None })).is_break() {
            return Ok(());
        }
    }
}

fn documents<R: Read>(
    open: &mut dyn FnMut(u64) -> io::Result<io::BufReader<R>>,
    take: &mut Take<'_>,
) -> io::Result<()> {
    let mut bytes = Bytes::new(open(0)?, 0, 1);
    loop {
        match bytes.beyond_space() {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(()),
            Err(Stop::Io(error)) => return Err(error),
            Err(Stop::Broken(why)) => {
                let _ = take(Seen::Broken { line: bytes.line, why });
                return Ok(());
            }
        }
        let mut head = Head::default();
        let read = bytes.head(&mut head);
        if let (true, Some((at, line))) = (head.is_bundle, head.entry) {
            let mut inside = Bytes::new(open(at)?, at, line);
            match inside.entries(take) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return Ok(()),
                Err(Stop::Io(error)) => return Err(error),
                Err(Stop::Broken(why)) => {
                    let _ = take(Seen::Broken { line: inside.line, why });
                    return Ok(());
                }
            }
        }
        match read {
            Ok(()) if head.is_bundle => {}
            Ok(()) => {
                let (start, line) = (head.start, head.line);
                let spot = Spot { line, start, length: bytes.at - start, full_url: None };
                if take(Seen::Resource(spot)).is_break() {
                    return Ok(());
                }
            }
            Err(Stop::Io(error)) => return Err(error),
            Err(Stop::Broken(why)) => {
                let _ = take(Seen::Broken { line: bytes.line, why });
                return Ok(());
            }
        }
    }
}

/// The entries of a Bundle that is one line of NDJSON; none if it is no Bundle.
pub fn entries_of_line(text: &[u8], (start, line): (u64, u64)) -> Option<Vec<Seen>> {
    let mut head = Head::default();
    Bytes::new(text, start, line).head(&mut head).ok()?;
    if !head.is_bundle {
        return None;
    }
    let mut seen = Vec::new();
    if let Some((at, line)) = head.entry {
        let skipped = usize::try_from(at - start).ok()?;
        let mut inside = Bytes::new(text.get(skipped..)?, at, line);
        let _ = inside.entries(&mut |it| {
            seen.push(it);
            ControlFlow::Continue(())
        });
    }
    Some(seen)
}

/// How a file is to be read: by its name, else by whether its first value is one line of several.
///
/// # Errors
/// If the file cannot be read.
pub fn form_of<R: Read>(name: &str, reader: io::BufReader<R>) -> io::Result<Form> {
    if [".ndjson", ".jsonl"].iter().any(|ending| name.ends_with(ending)) {
        return Ok(Form::Lines);
    }
    let mut bytes = Bytes::new(reader, 0, 1);
    let ends = |stop: Stop| match stop {
        Stop::Io(error) => Err(error),
        Stop::Broken(_) => Ok(Form::Documents),
    };
    if let Err(stop) = bytes.beyond_space() {
        return ends(stop);
    }
    let line = bytes.line;
    match bytes.pass() {
        Err(stop) => return ends(stop),
        Ok(_) if bytes.line != line => return Ok(Form::Documents),
        Ok(_) => {}
    }
    match bytes.beyond_space() {
        Err(stop) => ends(stop),
        Ok(Some(_)) if bytes.line > line => Ok(Form::Lines),
        Ok(Some(_) | None) => Ok(Form::Documents),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor};

    use super::*;

    fn seen(form: Form, text: &str) -> Vec<Seen> {
        let mut all = Vec::new();
        let mut open = |at: u64| {
            let mut cursor = Cursor::new(text.as_bytes());
            cursor.set_position(at);
            // So small that every value crosses a border.
            Ok(BufReader::with_capacity(3, cursor))
        };
        scan(form, &mut open, &mut |it| {
            all.push(it);
            ControlFlow::Continue(())
        })
        .unwrap();
        all
    }

    fn texts<'a>(text: &'a str, seen: &[Seen]) -> Vec<(u64, &'a str)> {
        let spot = |it: &Seen| match it {
            Seen::Resource(Spot { line, start, length, .. }) => {
                (*line, &text[*start as usize..(*start + *length) as usize])
            }
            Seen::NoResource { line } => (*line, "nothing"),
            Seen::Broken { line, .. } => (*line, "broken"),
        };
        seen.iter().map(spot).collect()
    }

    #[test]
    fn lines_are_told_with_their_numbers_also_broken_ones() {
        let text = "{\"a\":1}\n\n{\"b\":\n{\"c\":\"}\\\"\"}";
        let found = seen(Form::Lines, text);
        let wanted = [(1, "{\"a\":1}"), (3, "{\"b\":"), (4, "{\"c\":\"}\\\"\"}")];
        assert_eq!(texts(text, &found), wanted);
    }

    #[test]
    fn the_entries_of_a_bundle_are_told_wherever_its_type_stands() {
        let text = r#"{ "total": 2, "entry": [
          {"fullUrl":"urn:uuid:1","resource":{"x":"]}\\"}},
          {"request":{"method":"DELETE"}}, { "search":{}, "resource" : {} } ],
          "resourceType":"Bundle"}
          {"resourceType":"List","entry":[{"item":{}}]}"#;
        let found = seen(Form::Documents, text);
        let wanted = [
            (2, "{\"x\":\"]}\\\\\"}"),
            (3, "nothing"),
            (3, "{}"),
            (5, "{\"resourceType\":\"List\",\"entry\":[{\"item\":{}}]}"),
        ];
        assert_eq!(texts(text, &found), wanted);
        let Seen::Resource(first) = &found[0] else { panic!() };
        assert_eq!(first.full_url.as_deref(), Some("urn:uuid:1"));
    }

    #[test]
    fn of_a_bundle_that_was_cut_the_entries_before_the_cut_are_told() {
        let whole =
            r#"{"resourceType":"Bundle","entry":[{"resource":{"a":1}},{"resource":{"b":2}}]}"#;
        for end in 0..whole.len() {
            let text = &whole[..end];
            let found = seen(Form::Documents, text);
            let told = texts(text, &found);
            let before = told.iter().filter(|(_, text)| text.starts_with('{')).count();
            let entries = whole[..end].matches("}}").count();
            assert_eq!(before, entries, "{text}");
            assert!(end == 0 || told.last() == Some(&(1, "broken")), "{text}");
        }
    }

    #[test]
    fn a_file_of_lines_is_known_by_its_name_or_its_second_value() {
        let form = |name: &str, text: &str| {
            form_of(name, BufReader::new(Cursor::new(text.to_owned()))).unwrap()
        };
        assert_eq!(form("a.ndjson", "{"), Form::Lines);
        assert_eq!(form("a.json", "{\"a\":1}\n{\"b\":2}\n"), Form::Lines);
        assert_eq!(form("a.json", "{\"a\":1}\n"), Form::Documents);
        assert_eq!(form("a.json", "{\n\"a\":1}\n{\"b\":2}\n"), Form::Documents);
        assert_eq!(form("a", "not json at all"), Form::Documents);
    }
}
