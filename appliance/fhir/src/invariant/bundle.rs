//! The invariants of `Bundle`, and what R4 says in words about its requests.

use super::focus::distinct;
use super::{Focus, Place, rule};

const WITH_REQUESTS: [&str; 3] = ["batch", "transaction", "history"];
const WITH_RESPONSES: [&str; 3] = ["batch-response", "transaction-response", "history"];

pub(super) const RULES: &[Place] = &[
    (
        &["Bundle"],
        rule("bdl-1", "total only when a search or history", |it| {
            it.lacks("total") || it.is("type", &["searchset", "history"])
        }),
    ),
    (
        &["Bundle"],
        rule("bdl-2", "entry.search only when a search", |it| {
            it.is("type", &["searchset"]) || it.each("entry").all(|entry| entry.lacks("search"))
        }),
    ),
    (
        &["Bundle"],
        rule(
            "bdl-3",
            "entry.request mandatory for batch/transaction/history, otherwise prohibited",
            |it| {
                let wanted = it.is("type", &WITH_REQUESTS);
                it.each("entry").all(|entry| entry.has("request") == wanted)
            },
        ),
    ),
    (
        &["Bundle"],
        rule(
            "bdl-4",
            "entry.response mandatory for batch-response/transaction-response/history, otherwise \
             prohibited",
            |it| {
                let wanted = it.is("type", &WITH_RESPONSES);
                it.each("entry").all(|entry| entry.has("response") == wanted)
            },
        ),
    ),
    (
        &["Bundle"],
        rule(
            "bdl-7",
            "FullUrl must be unique in a bundle, or else entries with the same fullUrl must have \
             different meta.versionId (except in history bundles)",
            |it| it.is("type", &["history"]) || distinct(it.each("entry").filter_map(version)),
        ),
    ),
    (
        &["Bundle"],
        rule("bdl-9", "A document must have an identifier with a system and a value", |it| {
            let identifier = it.child("identifier");
            !it.is("type", &["document"])
                || identifier.is_some_and(|it| it.has("system") && it.has("value"))
        }),
    ),
    (
        &["Bundle"],
        rule("bdl-10", "A document must have a date", |it| {
            !it.is("type", &["document"]) || it.text("timestamp").is_some()
        }),
    ),
    (
        &["Bundle"],
        rule("bdl-11", "A document must have a Composition as the first resource", |it| {
            !it.is("type", &["document"]) || begins_with(it, "Composition")
        }),
    ),
    (
        &["Bundle"],
        rule("bdl-12", "A message must have a MessageHeader as the first resource", |it| {
            !it.is("type", &["message"]) || begins_with(it, "MessageHeader")
        }),
    ),
    (
        &["Bundle.entry"],
        rule("bdl-5", "must be a resource unless there's a request or response", |it| {
            it.has_any(&["resource", "request", "response"])
        }),
    ),
    (
        &["Bundle.entry"],
        rule("bdl-8", "fullUrl cannot be a version specific reference", |it| {
            !it.text("fullUrl").is_some_and(|url| url.contains("/_history/"))
        }),
    ),
    (
        &["Bundle.entry.request"],
        rule("url", "the URL is relative to the root that the bundle is sent to", |it| {
            let url = it.text("url").unwrap_or_default();
            !url.starts_with("http://") && !url.starts_with("https://")
        }),
    ),
    (
        &["Bundle.entry.request"],
        rule(
            "ifNoneExist",
            "the query is written without what stands before it and the `?`",
            |it| !it.text("ifNoneExist").is_some_and(|query| query.contains('?')),
        ),
    ),
];

/// `fullUrl & resource.meta.versionId`
fn version<'a>(entry: Focus<'a>) -> Option<(&'a str, Option<&'a str>)> {
    let meta = entry.child("resource").and_then(|resource| resource.child("meta"));
    Some((entry.text("fullUrl")?, meta.and_then(|meta| meta.text("versionId"))))
}

fn begins_with(it: &Focus<'_>, resource_type: &str) -> bool {
    let first = it.each("entry").next().and_then(|entry| entry.child("resource"));
    first.is_some_and(|resource| resource.is("resourceType", &[resource_type]))
}
