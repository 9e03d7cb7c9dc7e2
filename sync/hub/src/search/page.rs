//! A page while it is filled.

use std::cmp::Ordering;
use std::collections::HashMap;

use fhir::matching::{SortKey, sort_key};
use fhir::scope::Permission;
use fhir::search::{Chained, Condition, Query, Reversed, Sort, Value};
use fhir::{IssueCode, Outcome, Resource, matching};

use super::{LOOKED_AT_MAX, Place, Standing, Unanswered};
use crate::records::{AT_ONCE, Opened};

/// Resources that are remembered during a search because others refer to them.
const REMEMBERED_MAX: usize = 2_000;

/// A page while it is filled.
pub(super) struct Page<'a> {
    pub(super) place: Place<'a>,
    pub(super) query: &'a Query,
    /// Resources that were opened.
    pub(super) looked_at: usize,
    /// What others refer to; none of what is not there or not for the caller.
    known: HashMap<(&'static str, String), Option<Resource>>,
}

/// The records that can fit, one after the other.
struct Stream {
    /// Their keys, where they are known beforehand, the next last.
    keys: Option<Vec<Vec<u8>>>,
    /// Those that were read, the next last.
    read: Vec<Opened>,
    after: Option<Vec<u8>>,
    is_at_end: bool,
}

impl<'a> Page<'a> {
    pub(super) fn new(place: Place<'a>, query: &'a Query) -> Self {
        Self { place, query, looked_at: 0, known: HashMap::new() }
    }

    /// Fills a page, and says where its last resource stands, if there are more.
    pub(super) fn fill(
        &mut self,
        by: &[Sort],
        begin: Option<Standing>,
        size: usize,
    ) -> Result<(Vec<Resource>, Option<Standing>), Unanswered> {
        if !by.is_empty() {
            return self.fill_sorted(by, begin, size);
        }
        let mut stream = self.stream(begin.map(|it| it.name))?;
        let (mut found, mut last) = (Vec::new(), None);
        while let Some(Opened { key, resource }) = self.next(&mut stream)? {
            if !self.fits(&resource)? {
                continue;
            }
            if found.len() == size {
                let more = last.map(|name| Standing { keys: Vec::new(), name });
                return Ok((found, more));
            }
            found.push(resource);
            last = Some(key);
        }
        Ok((found, None))
    }

    /// The same, sorted: all are opened, and those of the page once more.
    fn fill_sorted(
        &mut self,
        by: &[Sort],
        begin: Option<Standing>,
        size: usize,
    ) -> Result<(Vec<Resource>, Option<Standing>), Unanswered> {
        let begin = begin.filter(|it| it.keys.len() == by.len());
        let mut stream = self.stream(None)?;
        let mut all: Vec<Standing> = Vec::new();
        while let Some(Opened { key, resource }) = self.next(&mut stream)? {
            if self.fits(&resource)? {
                let of_it = |sort: &Sort| sort_key(&resource, sort.parameter, self.place.here);
                all.push(Standing { keys: by.iter().map(of_it).collect(), name: key });
            }
        }
        all.sort_by(|one, other| compared(by, one, other));
        let from = begin.map_or(0, |it| {
            all.partition_point(|other| compared(by, other, &it) != Ordering::Greater)
        });
        let page: Vec<Standing> = all.drain(from..).take(size.saturating_add(1)).collect();
        let keys: Vec<Vec<u8>> = page.iter().take(size).map(|it| it.name.clone()).collect();
        let found = self.place.records.load(&keys)?.into_iter().map(|it| it.resource).collect();
        let last = size.checked_sub(1).and_then(|at| page.get(at).cloned());
        Ok((found, last.filter(|_| page.len() > size)))
    }

    /// How many fit on all pages.
    pub(super) fn total(&mut self) -> Result<u64, Unanswered> {
        self.looked_at = 0;
        let mut stream = self.stream(None)?;
        let mut total = 0;
        while let Some(opened) = self.next(&mut stream)? {
            total += u64::from(self.fits(&opened.resource)?);
        }
        Ok(total)
    }

    fn stream(&mut self, after: Option<Vec<u8>>) -> Result<Stream, Unanswered> {
        let keys = self.candidates()?.map(|keys| {
            let keys = keys.into_iter().filter(|key| after.as_ref().is_none_or(|it| key > it));
            let mut keys: Vec<Vec<u8>> = keys.collect();
            keys.reverse();
            keys
        });
        Ok(Stream { keys, read: Vec::new(), after, is_at_end: false })
    }

    /// The next record that can fit.
    fn next(&mut self, stream: &mut Stream) -> Result<Option<Opened>, Unanswered> {
        while stream.read.is_empty() && !stream.is_at_end {
            let records = self.place.records;
            let mut read = match &mut stream.keys {
                Some(keys) => {
                    let some = keys.split_off(keys.len().saturating_sub(AT_ONCE));
                    stream.is_at_end = keys.is_empty();
                    let some: Vec<Vec<u8>> = some.into_iter().rev().collect();
                    records.load(&some)?
                }
                None => {
                    let read = records.after(self.query.type_, stream.after.as_deref())?;
                    stream.is_at_end = read.is_empty();
                    stream.after = read.last().map(|it| it.key.clone());
                    read
                }
            };
            read.reverse();
            stream.read = read;
        }
        let next = stream.read.pop();
        if next.is_some() {
            self.look()?;
        }
        Ok(next)
    }

    pub(super) fn look(&mut self) -> Result<(), Outcome> {
        self.looked_at += 1;
        if self.looked_at <= LOOKED_AT_MAX {
            return Ok(());
        }
        let what = format!(
            "more than {LOOKED_AT_MAX} resources would have to be looked at; ask by more, such as a \
             patient or a date"
        );
        Err(Outcome::error(IssueCode::TooCostly, what))
    }

    /// Whether a resource is what is looked for.
    fn fits(&mut self, resource: &Resource) -> Result<bool, Unanswered> {
        let (query, here) = (self.query, self.place.here);
        if resource.resource_type() != query.type_
            || !query.conditions.iter().all(|it| matching::matches(resource, it, here))
        {
            return Ok(false);
        }
        for chained in &query.chained {
            if !self.is_chained(resource, chained)? {
                return Ok(false);
            }
        }
        for reversed in &query.reversed {
            if !self.is_reversed(resource, reversed)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether one of the resources that it points to fits.
    fn is_chained(&mut self, resource: &Resource, chained: &Chained) -> Result<bool, Unanswered> {
        let Chained { by, any } = chained;
        let here = self.place.here;
        for (type_, id) in matching::references(resource, by, here) {
            for (_, condition) in any.iter().filter(|(of, _)| *of == type_) {
                let other = self.recalled(type_, &id)?;
                if other.is_some_and(|other| matching::matches(other, condition, here)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// A resource that another refers to.
    fn recalled(&mut self, type_: &'static str, id: &str) -> Result<Option<&Resource>, Unanswered> {
        let key = (type_, id.to_owned());
        if !self.known.contains_key(&key) && self.place.scopes.allows(type_, Permission::Search) {
            self.look()?;
            let found = self.place.records.one(type_, id)?;
            if self.known.len() >= REMEMBERED_MAX {
                self.known.clear();
            }
            self.known.insert(key.clone(), found);
        }
        Ok(self.known.get(&key).and_then(Option::as_ref))
    }

    /// Whether one of the resources that point to it fits.
    fn is_reversed(
        &mut self,
        resource: &Resource,
        reversed: &Reversed,
    ) -> Result<bool, Unanswered> {
        let Reversed { type_, by, condition } = reversed;
        let Some(id) = resource.id() else { return Ok(false) };
        let own = Value::Reference { type_: Some(resource.resource_type()), id: id.to_owned() };
        let here = Condition { parameter: by, modifier: None, any: vec![own] };
        let query = Query::of(type_, vec![here, condition.clone()]);
        let mut page = Page::new(self.place, &query);
        page.looked_at = self.looked_at;
        let (found, _) = page.fill(&[], None, 1)?;
        self.looked_at = page.looked_at;
        Ok(!found.is_empty())
    }
}

/// Which of two comes first. What says nothing comes last, whichever way is sorted.
fn compared(by: &[Sort], one: &Standing, other: &Standing) -> Ordering {
    let keys = one.keys.iter().zip(&other.keys).zip(by);
    for ((one, other), sort) in keys {
        let order = match (one, other) {
            (Some(one), Some(other)) if sort.descending => SortKey::cmp(other, one),
            (Some(one), Some(other)) => SortKey::cmp(one, other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    one.name.cmp(&other.name)
}
