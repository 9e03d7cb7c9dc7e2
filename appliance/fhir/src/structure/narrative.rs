//! The XHTML of a narrative: well-formed, only what R4 allows, and nothing that runs.
//!
//! Source: <https://hl7.org/fhir/R4/narrative.html>, constraints txt-1 and txt-2. Read tag by tag;
//! what is not understood is refused. Which attributes an element may have is not looked at, but none
//! may run a script or point to one.

/// How deep elements may lie in each other.
const DEPTH_MAX: usize = 256;

/// The elements of HTML 4.0, chapters 7 to 11 (without section 4 of chapter 9) and 15, and `a` and
/// `img` with its maps.
const ELEMENTS: &str = " a abbr acronym address area b bdo big blockquote br caption center cite code col \
    colgroup dd dfn dir div dl dt em font h1 h2 h3 h4 h5 h6 hr i img kbd li map menu ol p pre q s samp small \
    span strike strong sub sup table tbody td tfoot th thead tr tt u ul var ";

/// The namespace of XHTML, which the outermost `div` must name.
const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// What is wrong with the narrative, or nothing.
pub(super) fn fault(div: &str) -> Option<&'static str> {
    let mut scanner = Scanner { rest: div, open: Vec::new(), says_something: false };
    match scanner.whole() {
        Err(fault) => Some(fault),
        Ok(()) if !scanner.says_something => {
            Some("a narrative says something; leave it out instead")
        }
        Ok(()) => None,
    }
}

type Scanned<T> = Result<T, &'static str>;

const OPEN: &str = "a tag is not closed";
const OUTSIDE: &str = "a narrative is one <div xmlns=\"http://www.w3.org/1999/xhtml\">…</div>";

struct Scanner<'a> {
    rest: &'a str,
    /// The elements that are open, the outermost first.
    open: Vec<&'a str>,
    /// Whether there is text or a picture.
    says_something: bool,
}

impl<'a> Scanner<'a> {
    fn whole(&mut self) -> Scanned<()> {
        self.rest = self.rest.trim();
        if !self.rest.starts_with("<div") {
            return Err(OUTSIDE);
        }
        loop {
            self.tag()?;
            if self.open.is_empty() {
                return if self.rest.is_empty() { Ok(()) } else { Err(OUTSIDE) };
            }
            self.text()?;
        }
    }

    /// Text up to the next tag.
    fn text(&mut self) -> Scanned<()> {
        let Some((text, _)) = self.rest.split_once('<') else { return Err(OPEN) };
        self.rest = &self.rest[text.len()..];
        self.says_something |= !text.trim().is_empty();
        entities(text)
    }

    /// A tag or a comment.
    fn tag(&mut self) -> Scanned<()> {
        if let Some(comment) = self.rest.strip_prefix("<!--") {
            let (_, rest) = comment.split_once("-->").ok_or(OPEN)?;
            self.rest = rest;
            return Ok(());
        }
        if self.taken("</") {
            let name = self.name();
            self.space();
            let closes = self.taken(">") && self.open.pop() == Some(name);
            return if closes {
                Ok(())
            } else {
                Err("tags are closed in the order of their opening")
            };
        }
        if !self.taken("<") {
            return Err(OPEN);
        }
        self.opening()
    }

    fn opening(&mut self) -> Scanned<()> {
        let name = self.name();
        if name.is_empty() || !ELEMENTS.contains(&format!(" {name} ")) {
            return Err(
                "an element is not one that a narrative may hold (HTML 4.0, formatting only)",
            );
        }
        self.says_something |= name == "img";
        let is_outermost = self.open.is_empty();
        let mut namespace = None;
        loop {
            let spaced = self.space();
            if self.taken("/>") {
                break;
            }
            if self.taken(">") {
                self.open.push(name);
                break;
            }
            if !spaced {
                return Err("a tag is not well-formed");
            }
            if let ("xmlns", value) = self.attribute()? {
                namespace = Some(value);
            }
        }
        if self.open.len() > DEPTH_MAX {
            return Err("elements lie too deep in each other");
        }
        let in_html = namespace.map_or(!is_outermost, |value| value == XHTML);
        if in_html { Ok(()) } else { Err(OUTSIDE) }
    }

    fn attribute(&mut self) -> Scanned<(&'a str, &'a str)> {
        const MALFORMED: &str = "an attribute is not well-formed";
        let name = self.name();
        self.space();
        let equals = self.taken("=");
        self.space();
        let quote = self.rest.chars().next().filter(|quote| matches!(quote, '"' | '\''));
        let (Some(quote), true, false) = (quote, equals, name.is_empty()) else {
            return Err(MALFORMED);
        };
        let (value, rest) = self.rest[1..].split_once(quote).ok_or(MALFORMED)?;
        self.rest = rest;
        if value.contains('<') {
            return Err(MALFORMED);
        }
        entities(value)?;
        if runs(name, value) {
            return Err("a narrative holds nothing that runs: no script and no event");
        }
        Ok((name, value))
    }

    fn name(&mut self) -> &'a str {
        let letter = |it: char| it.is_ascii_alphanumeric() || matches!(it, ':' | '-' | '_');
        let end = self.rest.find(|it| !letter(it)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name
    }

    fn space(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_start();
        self.rest.len() < before
    }

    fn taken(&mut self, text: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(text) else { return false };
        self.rest = rest;
        true
    }
}

/// Whether the attribute runs something, or points to what does.
fn runs(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // What a browser leaves out before it looks for the scheme.
    let shown = |it: &char| !it.is_whitespace() && !it.is_control();
    let value: String = value.chars().filter(shown).collect::<String>().to_ascii_lowercase();
    let scheme = value.split(':').next().unwrap_or_default();
    let is_link = matches!(name.as_str(), "href" | "src" | "background" | "longdesc" | "cite");
    // A letter written as an entity hides the scheme.
    let hidden = is_link && scheme.contains('&') && value.contains(':');
    name.starts_with("on")
        || (is_link && matches!(scheme, "javascript" | "vbscript"))
        || (is_link && value.starts_with("data:") && !value.starts_with("data:image/"))
        || (name == "style" && (value.contains("expression(") || value.contains("javascript:")))
        || hidden
}

/// Each `&` begins an entity: a name or a number, and `;`.
fn entities(text: &str) -> Scanned<()> {
    let is_entity = |after: &str| {
        let name = after.split(';').next().filter(|name| name.len() < after.len());
        name.is_some_and(|name| {
            let name = name.strip_prefix('#').unwrap_or(name);
            !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric())
        })
    };
    if text.split('&').skip(1).all(is_entity) { Ok(()) } else { Err("`&` is written as &amp;") }
}
