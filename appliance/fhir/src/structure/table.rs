//! The table of R4's elements: `r4.txt` in the shape in which it is asked.
//!
//! It is read once, when it is first needed.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::codes::{Codes, CodesRow};
use crate::invariant::{self, Rule};
use crate::primitive::Primitive;

/// The most elements that a type has, as bits of a set; the table is read in the tests.
pub(super) const ELEMENTS_MAX: usize = 96;

static TEXT: &str = include_str!("r4.txt");
static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(TEXT));

/// All types.
pub(super) struct Table {
    nodes: Vec<Node>,
    named: HashMap<&'static str, u16>,
    codes: Vec<Codes>,
    /// The type `Element`.
    element: u16,
}

/// A type, or an element with children of its own.
pub(super) struct Node {
    /// `Patient` or `Patient.contact`.
    pub(super) path: String,
    /// Whether this is a resource that can stand for itself.
    pub(super) is_resource: bool,
    /// In the order of the definition.
    pub(super) elements: Vec<Element>,
    /// What must hold between them.
    pub(super) rules: Vec<&'static Rule>,
    /// The names under which elements stand in JSON, sorted.
    keys: Vec<Key>,
}

/// An element.
#[derive(Clone, Copy)]
pub(super) struct Element {
    /// Its name, of a choice without `[x]`.
    pub(super) name: &'static str,
    pub(super) required: bool,
    /// Whether it is a list.
    pub(super) many: bool,
    /// Whether the key says the type, too.
    pub(super) choice: bool,
}

/// A name under which an element stands in JSON.
pub(super) struct Key {
    /// `valueString`
    name: String,
    /// `_valueString`
    pub(super) sibling: String,
    /// Which of the elements it is.
    pub(super) element: usize,
    pub(super) kind: Kind,
    /// Which of the value sets the code must be from.
    pub(super) codes: Option<u16>,
    /// The types of resource that a reference may point to; any if empty.
    pub(super) targets: Vec<&'static str>,
}

/// What stands under a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Primitive(Primitive),
    Node(u16),
    /// A whole resource of any type.
    Resource,
}

/// The table.
pub(super) fn table() -> &'static Table {
    &TABLE
}

impl Table {
    /// The resource of this name, if it can stand for itself.
    pub(super) fn resource(&self, name: &str) -> Option<(&'static str, &Node)> {
        let (name, at) = self.named.get_key_value(name)?;
        let node = self.node(*at);
        node.is_resource.then_some((*name, node))
    }

    pub(super) fn node(&self, at: u16) -> &Node {
        &self.nodes[usize::from(at)]
    }

    /// What stands beside a primitive value.
    pub(super) fn element(&self) -> &Node {
        self.node(self.element)
    }

    pub(super) fn codes(&self, at: u16) -> &Codes {
        &self.codes[usize::from(at)]
    }

    /// The names of the resources, in the order of the alphabet.
    pub(super) fn resources(&self) -> Vec<&'static str> {
        let mut names: Vec<_> =
            self.named.keys().filter(|name| self.resource(name).is_some()).copied().collect();
        names.sort_unstable();
        names
    }
}

impl Node {
    /// The key of this name, if an element may stand under it.
    pub(super) fn key(&self, name: &str) -> Option<&Key> {
        let at = self.keys.binary_search_by(|key| key.name.as_str().cmp(name)).ok()?;
        self.keys.get(at)
    }
}

/// A type as the file has it.
struct Row {
    path: String,
    parent: &'static str,
    is_resource: bool,
    elements: Vec<ElementRow>,
}

#[derive(Clone, Copy)]
struct ElementRow {
    name: &'static str,
    required: bool,
    many: bool,
    kinds: &'static str,
    codes: Option<&'static str>,
    /// The row of its children.
    children: Option<u16>,
}

/// The file while it is read.
#[derive(Default)]
struct Reader {
    /// What `*` stands for.
    open: &'static str,
    rows: Vec<Row>,
    paths: HashMap<String, u16>,
    named: HashMap<&'static str, u16>,
    codes: Vec<CodesRow>,
    /// The rows that the elements of each depth belong to.
    depths: Vec<u16>,
}

impl Table {
    /// The file is a part of the program, and the tests read every line of it.
    fn read(text: &'static str) -> Self {
        let mut reader = Reader::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            reader.line(line).unwrap_or_else(|| panic!("r4.txt: {line}"));
        }
        reader.resolved().expect("r4.txt names only what is in it")
    }
}

impl Reader {
    fn line(&mut self, line: &'static str) -> Option<()> {
        let trimmed = line.trim_start();
        let depth = line.len() - trimmed.len();
        let words: Vec<&'static str> = trimmed.split(' ').collect();
        match (depth, words.as_slice()) {
            (0, ["*", open]) => self.open = open,
            (0, [kind @ ("type" | "resource"), name, parent @ ..]) => {
                let parent = parent.first().copied().unwrap_or("");
                let at = self.row((*name).to_owned(), parent, *kind == "resource");
                self.named.insert(*name, at);
                self.depths = vec![at];
            }
            (0, ["set", name]) => self.codes.push(CodesRow::new(name)),
            (0, ["open", name]) => self.codes.push(CodesRow::open(name)),
            (1, [system, codes @ ..]) if !self.codes.is_empty() => {
                self.codes.last_mut()?.add(system, codes);
            }
            (depth, [name, range, kinds, codes @ ..]) => {
                self.element(depth, name, range, kinds, codes)?;
            }
            (_, _) => return None,
        }
        Some(())
    }

    fn row(&mut self, path: String, parent: &'static str, is_resource: bool) -> u16 {
        let at = u16::try_from(self.rows.len()).unwrap_or(u16::MAX);
        self.paths.insert(path.clone(), at);
        self.rows.push(Row { path, parent, is_resource, elements: Vec::new() });
        at
    }

    fn element(
        &mut self,
        depth: usize,
        name: &'static str,
        range: &str,
        kinds: &'static str,
        codes: &[&'static str],
    ) -> Option<()> {
        let (min, max) = range.split_once("..")?;
        let above = *self.depths.get(depth - 1)?;
        self.depths.truncate(depth);
        let mut children = None;
        if matches!(kinds, "Element" | "BackboneElement") {
            let path = format!("{}.{name}", self.rows[usize::from(above)].path);
            let at = self.row(path, kinds, false);
            self.depths.push(at);
            children = Some(at);
        }
        let codes = match codes {
            [] => None,
            [one] => Some(one.strip_prefix('=')?),
            _ => return None,
        };
        let row = ElementRow {
            name,
            required: min == "1",
            many: max == "*",
            kinds: if kinds == "*" { self.open } else { kinds },
            codes,
            children,
        };
        self.rows[usize::from(above)].elements.push(row);
        Some(())
    }

    fn resolved(mut self) -> Option<Table> {
        self.simple_quantity()?;
        self.codes.sort_by_key(CodesRow::name);
        let nodes: Option<Vec<Node>> = self.rows.iter().map(|row| self.node(row)).collect();
        let codes = self.codes.into_iter().map(Codes::from).collect();
        let element = *self.named.get("Element")?;
        Some(Table { nodes: nodes?, named: self.named, codes, element })
    }

    /// `SimpleQuantity` is a quantity with one rule more and no type of its own.
    fn simple_quantity(&mut self) -> Option<()> {
        let quantity = *self.named.get("Quantity")?;
        let quantity = &self.rows[usize::from(quantity)];
        let (parent, elements) = (quantity.parent, quantity.elements.clone());
        let at = self.row("SimpleQuantity".to_owned(), parent, false);
        self.rows[usize::from(at)].elements = elements;
        Some(())
    }

    fn node(&self, row: &Row) -> Option<Node> {
        let mut rows = Vec::new();
        let mut rules = Vec::new();
        self.inherit(row, &mut rows, &mut rules)?;
        let mut elements = Vec::with_capacity(rows.len());
        let mut keys = Vec::new();
        for element in rows {
            let choice = element.name.ends_with("[x]");
            for kind in element.kinds.split('|') {
                keys.push(self.key(&element, kind, elements.len())?);
            }
            let ElementRow { name, required, many, .. } = element;
            let name = name.trim_end_matches("[x]");
            elements.push(Element { name, required, many, choice });
        }
        keys.sort_by(|a, b| a.name.cmp(&b.name));
        let abstract_type = matches!(row.path.as_str(), "Resource" | "DomainResource");
        let is_resource = row.is_resource && !abstract_type;
        Some(Node { path: row.path.clone(), is_resource, elements, rules, keys })
    }

    /// The elements and rules of a type, those of the type that it is made from first.
    fn inherit(
        &self,
        row: &Row,
        elements: &mut Vec<ElementRow>,
        rules: &mut Vec<&'static Rule>,
    ) -> Option<()> {
        if !row.parent.is_empty() {
            let parent = *self.named.get(row.parent)?;
            self.inherit(&self.rows[usize::from(parent)], elements, rules)?;
        }
        elements.extend(&row.elements);
        rules.extend(invariant::rules(&row.path));
        Some(())
    }

    fn key(&self, element: &ElementRow, kind: &'static str, at: usize) -> Option<Key> {
        let (name, targets) = match kind.split_once('(') {
            Some((name, targets)) => (name, targets.strip_suffix(')')?.split(',').collect()),
            None => (kind, Vec::new()),
        };
        let kind = match (element.children, Primitive::named(name), name.strip_prefix('#')) {
            (Some(children), _, _) => Kind::Node(children),
            (None, Some(primitive), _) => Kind::Primitive(primitive),
            (None, None, Some(path)) => Kind::Node(*self.paths.get(path)?),
            (None, None, None) if name == "Resource" => Kind::Resource,
            (None, None, None) => Kind::Node(*self.paths.get(name)?),
        };
        let codes = match element.codes {
            Some(codes) => {
                let at = self.codes.binary_search_by_key(&codes, CodesRow::name).ok()?;
                Some(u16::try_from(at).ok()?)
            }
            None => None,
        };
        let said = if name == "SimpleQuantity" { "Quantity" } else { name };
        let name = match element.name.strip_suffix("[x]") {
            Some(start) => format!("{start}{}{}", said[..1].to_uppercase(), &said[1..]),
            None => element.name.to_owned(),
        };
        Some(Key { sibling: format!("_{name}"), name, element: at, kind, codes, targets })
    }
}
