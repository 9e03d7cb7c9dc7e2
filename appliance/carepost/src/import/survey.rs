//! The first pass: notes where each resource lies and what it says, and refuses what is no valid R4.

use std::io::{self, BufReader};
use std::ops::ControlFlow;

use anyhow::Context as _;
use fhir::capability::{self, Interaction};
use fhir::{Issue, IssueCode, Resource, structure};
use ring::digest::{SHA256, digest};
use serde_json::Value;

use super::index::{Index, Item, Noted, State};
use super::order::rank;
use super::scan::{Form, Seen, Spot, entries_of_line, form_of, scan};
use super::tally::{Fate, Refusal, Tally};
use super::{LINE_BYTES_MAX, Listener, Readable, Sources};

/// Bytes that are read at once.
const READ_BYTES: usize = 256 * 1024;
/// Notes of one transaction of the index.
const NOTES: u32 = 5_000;

/// Notes what is in the files.
pub fn survey(
    files: &mut Sources,
    index: &Index,
    tally: &mut Tally,
    listener: &mut dyn Listener,
) -> anyhow::Result<()> {
    let sizes: Vec<u64> = files.all.iter().map(|source| source.size).collect();
    let all = sizes.iter().sum();
    let mut before = 0;
    index.begin()?;
    for (file, size) in sizes.into_iter().enumerate() {
        let source = files.all.get(file).context("there is no such file")?;
        let handle = source.open()?;
        let mut open = |at: u64| -> io::Result<BufReader<At<'_>>> {
            Ok(BufReader::with_capacity(READ_BYTES, At { file: &handle, at }))
        };
        let form = form_of(&source.name, open(0)?)?;
        let mut notes =
            Notes { file, files, form, index, tally, listener, noted: 0, progress: (before, all) };
        let mut failed = None;
        scan(form, &mut open, &mut |seen| match notes.see(seen) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        before += size;
    }
    index.end()?;
    listener.read(all, all);
    Ok(())
}

/// A file from a place on.
struct At<'a> {
    file: &'a Readable,
    at: u64,
}

impl io::Read for At<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// One file while it is noted.
struct Notes<'a> {
    file: usize,
    files: &'a mut Sources,
    form: Form,
    index: &'a Index,
    tally: &'a mut Tally,
    listener: &'a mut dyn Listener,
    noted: u32,
    progress: (u64, u64),
}

impl Notes<'_> {
    fn see(&mut self, seen: Seen) -> anyhow::Result<()> {
        match seen {
            Seen::Resource(spot) => self.resource(&spot),
            Seen::NoResource { line: _ } => {
                self.tally.count(Some("(entries without a resource)"), Fate::LeftOut);
                Ok(())
            }
            Seen::Broken { line, why } => {
                self.refuse(line, (None, None), &[Issue::error(IssueCode::Structure, why)])
            }
        }
    }

    fn resource(&mut self, spot: &Spot) -> anyhow::Result<()> {
        let (before, all) = self.progress;
        self.listener.read(before + spot.start, all);
        if spot.length > LINE_BYTES_MAX {
            let what = format!("a resource has at most {LINE_BYTES_MAX} bytes");
            let issue = Issue::error(IssueCode::TooLong, what);
            return self.refuse(spot.line, (None, None), &[issue]);
        }
        let bytes = self.files.bytes(self.file, spot.start, spot.length)?;
        let mut resource = match fhir::json::parse(&bytes) {
            Ok(resource) => resource,
            Err(outcome) => return self.refuse(spot.line, (None, None), &outcome.issues),
        };
        let kind = resource.resource_type();
        if self.form == Form::Lines
            && kind == "Bundle"
            && let Some(entries) = entries_of_line(&bytes, (spot.start, spot.line))
        {
            return entries.into_iter().try_for_each(|seen| self.see(seen));
        }
        if !capability::interactions(kind).contains(&Interaction::Create) {
            self.tally.count(Some(kind), Fate::LeftOut);
            return Ok(());
        }
        let issues = structure::validate(&resource);
        let given = fingerprint(&mut resource);
        let id = resource.id();
        let (item, is_called) = self.item(&resource, spot, given);
        if !issues.is_empty() {
            self.refuse(spot.line, (Some(kind), id), &issues)?;
            self.note(&item, spot, State::Refused)?;
            return Ok(());
        }
        match self.note(&item, spot, State::Waits)? {
            Noted::New(_) => Ok(()),
            Noted::Same => {
                self.tally.count(Some(kind), Fate::Unchanged);
                Ok(())
            }
            Noted::Other => {
                let what =
                    "something else came before under this type and id; only the first is taken";
                let issue = Issue::error(IssueCode::Duplicate, what);
                self.refuse(spot.line, (Some(kind), id.filter(|_| is_called)), &[issue])
            }
        }
    }

    /// A resource under the name that its source gave it: the id, else the `fullUrl`, else what it
    /// says.
    fn item(&self, resource: &Resource, spot: &Spot, given: [u8; 32]) -> (Item, bool) {
        let id = resource.id();
        let by_what_it_says = || {
            let hex: String = given.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("sha256:{hex}")
        };
        let name = id.or(spot.full_url.as_deref()).map(str::to_owned);
        let item = Item {
            nr: 0,
            kind: resource.resource_type().to_owned(),
            name: name.unwrap_or_else(by_what_it_says),
            file: self.file,
            line: spot.line.cast_signed(),
            start: spot.start.cast_signed(),
            length: spot.length.cast_signed(),
            given,
            local: None,
        };
        (item, id.is_some())
    }

    fn note(&mut self, item: &Item, spot: &Spot, state: State) -> anyhow::Result<Noted> {
        let noted = self.index.note(item, rank(&item.kind), state)?;
        if let (Noted::New(nr), Some(url)) = (noted, &spot.full_url) {
            self.index.also_called(url, nr)?;
        }
        self.noted += 1;
        if self.noted.is_multiple_of(NOTES) {
            self.index.end()?;
            self.index.begin()?;
        }
        Ok(noted)
    }

    fn refuse(
        &mut self,
        line: u64,
        (kind, name): (Option<&str>, Option<&str>),
        issues: &[Issue],
    ) -> anyhow::Result<()> {
        self.tally.count(kind, Fate::Refused);
        if let Some(issue) = issues.first() {
            self.tally.reason(issue);
        }
        let file = self.files.name(self.file);
        Ok(self.listener.refused(&Refusal { file, line, kind, name, issues })?)
    }
}

/// The SHA-256 of what a resource says, without its version and the time of that at the source.
pub fn fingerprint(resource: &mut Resource) -> [u8; 32] {
    if let Some(Value::Object(meta)) = resource.get_mut("meta") {
        meta.shift_remove("versionId");
        meta.shift_remove("lastUpdated");
        if meta.is_empty() {
            resource.remove("meta");
        }
    }
    let mut given = [0; 32];
    given.copy_from_slice(digest(&SHA256, &resource.to_vec()).as_ref());
    given
}
