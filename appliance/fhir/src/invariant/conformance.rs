//! The invariants of the types that describe systems, codes and knowledge.

use super::focus::distinct;
use super::{Focus, Place, rule};

pub(super) const RULES: &[Place] = &[
    (
        &["CapabilityStatement"],
        rule(
            "cpb-1",
            "A Capability Statement SHALL have at least one of REST, messaging or document element.",
            |it| it.has_any(&["rest", "messaging", "document"]),
        ),
    ),
    (
        &["CapabilityStatement"],
        rule(
            "cpb-2",
            "A Capability Statement SHALL have at least one of description, software, or \
             implementation element.",
            |it| it.has_any(&["description", "software", "implementation"]),
        ),
    ),
    (
        &["CapabilityStatement"],
        rule(
            "cpb-3",
            "Messaging end-point is required (and is only permitted) when a statement is for an \
             implementation.",
            |it| {
                it.is("kind", &["instance"]) || it.each("messaging").all(|it| it.lacks("endpoint"))
            },
        ),
    ),
    (
        &["CapabilityStatement"],
        rule(
            "cpb-7",
            "The set of documents must be unique by the combination of profile and mode.",
            |it| distinct(it.each("document").map(|it| (it.text("profile"), it.text("mode")))),
        ),
    ),
    (
        &["CapabilityStatement"],
        rule(
            "cpb-14",
            "If kind = instance, implementation must be present and software may be present",
            |it| !it.is("kind", &["instance"]) || it.has("implementation"),
        ),
    ),
    (
        &["CapabilityStatement"],
        rule(
            "cpb-15",
            "If kind = capability, implementation must be absent, software must be present",
            |it| {
                !it.is("kind", &["capability"])
                    || (it.lacks("implementation") && it.has("software"))
            },
        ),
    ),
    (
        &["CapabilityStatement"],
        rule(
            "cpb-16",
            "If kind = requirements, implementation and software must be absent",
            |it| !it.is("kind", &["requirements"]) || !it.has_any(&["implementation", "software"]),
        ),
    ),
    (
        &["CapabilityStatement.rest"],
        rule("cpb-9", "A given resource can only be described once per RESTful mode.", |it| {
            it.are_distinct("resource", "type")
        }),
    ),
    (
        &["CapabilityStatement.rest.resource"],
        rule(
            "cpb-12",
            "Search parameter names must be unique in the context of a resource.",
            |it| it.are_distinct("searchParam", "name"),
        ),
    ),
    (
        &["TerminologyCapabilities"],
        rule(
            "tcp-2",
            "A Capability Statement SHALL have at least one of description, software, or \
             implementation element.",
            |it| it.has_any(&["description", "software", "implementation"]),
        ),
    ),
    (
        &["TerminologyCapabilities"],
        rule(
            "tcp-3",
            "If kind = instance, implementation must be present and software may be present",
            |it| !it.is("kind", &["instance"]) || it.has("implementation"),
        ),
    ),
    (
        &["TerminologyCapabilities"],
        rule(
            "tcp-4",
            "If kind = capability, implementation must be absent, software must be present",
            |it| {
                !it.is("kind", &["capability"])
                    || (it.lacks("implementation") && it.has("software"))
            },
        ),
    ),
    (
        &["TerminologyCapabilities"],
        rule("tcp-5", "If kind = requirements, implementation and software must be absent", |it| {
            !it.is("kind", &["requirements"]) || !it.has_any(&["implementation", "software"])
        }),
    ),
    (
        &["TerminologyCapabilities.codeSystem"],
        rule("tcp-1", "If there is more than one version, a version code must be defined", |it| {
            it.list("version").len() <= 1 || it.each("version").all(|it| it.has("code"))
        }),
    ),
    (
        &["Measure"],
        rule(
            "mea-1",
            "Stratifier SHALL be either a single criteria or a set of criteria components",
            |it| {
                let criteria = ["code", "description", "criteria"];
                let mut all = it.each("group").flat_map(|group| group.each("stratifier"));
                all.all(|it| it.has_any(&criteria) != it.has("component"))
            },
        ),
    ),
    (
        &["MeasureReport"],
        rule(
            "mrp-1",
            "Measure Reports used for data collection SHALL NOT communicate group and score \
             information",
            |it| !it.is("type", &["data-collection"]) || it.lacks("group"),
        ),
    ),
    (
        &["MeasureReport"],
        rule(
            "mrp-2",
            "Stratifiers SHALL be either a single criteria or a set of criteria components",
            |it| {
                let stratifiers = it.each("group").flat_map(|group| group.each("stratifier"));
                let mut all = stratifiers.flat_map(|stratifier| stratifier.each("stratum"));
                all.all(|it| it.has("value") != it.has("component"))
            },
        ),
    ),
    (
        &["CodeSystem"],
        rule("csd-1", "Within a code system definition, all the codes SHALL be unique", |it| {
            let mut codes = Vec::new();
            concepts(it, &mut codes);
            distinct(codes.into_iter())
        }),
    ),
    (
        &["ConceptMap.group.element.target"],
        rule("cmd-1", "If the map is narrower or inexact, there SHALL be some comments", |it| {
            it.has("comment") || !it.is("equivalence", &["narrower", "inexact"])
        }),
    ),
    (
        &["ConceptMap.group.unmapped"],
        rule("cmd-2", "If the mode is 'fixed', a code must be provided", |it| {
            !it.is("mode", &["fixed"]) || it.has("code")
        }),
    ),
    (
        &["ConceptMap.group.unmapped"],
        rule("cmd-3", "If the mode is 'other-map', a url must be provided", |it| {
            !it.is("mode", &["other-map"]) || it.has("url")
        }),
    ),
    (
        &["MessageDefinition.focus"],
        rule("md-1", "Max must be postive int or *", |it| {
            let is_number = |max: &str| max.parse::<u32>().is_ok_and(|max| max > 0);
            it.text("max").is_none_or(|max| max == "*" || is_number(max))
        }),
    ),
    (
        &["NamingSystem"],
        rule("nsd-1", "Root systems cannot have uuid identifiers", |it| {
            !it.is("kind", &["root"]) || !it.each("uniqueId").any(|it| it.is("type", &["uuid"]))
        }),
    ),
    (
        &["NamingSystem"],
        rule("nsd-2", "Can't have more than one preferred identifier for a type", |it| {
            let preferred = it.each("uniqueId").filter(|it| it.is_true("preferred"));
            distinct(preferred.filter_map(|it| it.text("type")))
        }),
    ),
    (
        &["OperationDefinition.parameter"],
        rule("opd-1", "Either a type must be provided, or parts", |it| {
            it.has_any(&["type", "part"])
        }),
    ),
    (
        &["OperationDefinition.parameter"],
        rule("opd-2", "A search type can only be specified for parameters of type string", |it| {
            it.lacks("searchType") || it.is("type", &["string"])
        }),
    ),
    (
        &["OperationDefinition.parameter"],
        rule(
            "opd-3",
            "A targetProfile can only be specified for parameters of type Reference or Canonical",
            |it| it.lacks("targetProfile") || it.is("type", &["Reference", "canonical"]),
        ),
    ),
    (
        &["SearchParameter"],
        rule("spd-1", "If an xpath is present, there SHALL be an xpathUsage", |it| {
            it.lacks("xpath") || it.has("xpathUsage")
        }),
    ),
    (
        &["SearchParameter"],
        rule(
            "spd-2",
            "Search parameters can only have chain names when the search parameter type is \
             'reference'",
            |it| it.lacks("chain") || it.is("type", &["reference"]),
        ),
    ),
    (
        &["StructureMap.group.rule.target"],
        rule("smp-1", "Can only have an element if you have a context", |it| {
            it.lacks("element") || it.has("context")
        }),
    ),
    (
        &["StructureMap.group.rule.target"],
        rule("smp-2", "Must have a contextType if you have a context", |it| {
            it.lacks("context") || it.has("contextType")
        }),
    ),
    (
        &["ValueSet.compose.include"],
        rule("vsd-1", "A value set include/exclude SHALL have a value set or a system", |it| {
            it.has_any(&["valueSet", "system"])
        }),
    ),
    (
        &["ValueSet.compose.include"],
        rule("vsd-2", "A value set with concepts or filters SHALL include a system", |it| {
            !it.has_any(&["concept", "filter"]) || it.has("system")
        }),
    ),
    (
        &["ValueSet.compose.include"],
        rule("vsd-3", "Cannot have both concept and filter", |it| {
            it.lacks("concept") || it.lacks("filter")
        }),
    ),
    (
        &["ValueSet.expansion.contains"],
        rule("vsd-6", "SHALL have a code or a display", |it| it.has_any(&["code", "display"])),
    ),
    (
        &["ValueSet.expansion.contains"],
        rule("vsd-9", "Must have a code if not abstract", |it| {
            it.has("code") || it.is_true("abstract")
        }),
    ),
    (
        &["ValueSet.expansion.contains"],
        rule("vsd-10", "Must have a system if a code is present", |it| {
            it.lacks("code") || it.has("system")
        }),
    ),
];

fn concepts<'a>(it: &Focus<'a>, found: &mut Vec<&'a str>) {
    for concept in it.each("concept") {
        found.extend(concept.text("code"));
        concepts(&concept, found);
    }
}
