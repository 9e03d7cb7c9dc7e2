//! Where in a resource the eye is, as a chain on the stack; written out only when something is wrong.

use std::fmt;

/// A place in a resource, shown as FHIRPath: `Patient.contact[0].name`.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    /// The resource itself.
    Root(&'a str),
    /// An element of it.
    Element(&'a Path<'a>, &'a str),
    /// An entry of a list.
    Entry(&'a Path<'a>, usize),
}

impl<'a> Path<'a> {
    pub(super) fn element(&'a self, name: &'a str) -> Self {
        Self::Element(self, name)
    }

    pub(super) fn entry(&'a self, index: usize) -> Self {
        Self::Entry(self, index)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(name) => f.write_str(name),
            Self::Element(above, name) => write!(f, "{above}.{name}"),
            Self::Entry(above, index) => write!(f, "{above}[{index}]"),
        }
    }
}
