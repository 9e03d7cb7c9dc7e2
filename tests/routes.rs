//! The routes of the box as a stranger finds them: who may call what, and the document of it all.

mod document;
mod stranger;
