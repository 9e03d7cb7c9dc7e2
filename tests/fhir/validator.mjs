// An independent check of resources: whether they are valid R4.
//
// - structure, cardinality and the form of values: Medplum's engine
// - invariants, at every depth: NLM's FHIRPath
// - codes of required bindings: HL7's own value sets
// - bundles: `bundles.mjs`
//
// The definitions are HL7's own; Medplum's have elements added that R4 does not have (Meta.account).
// Nothing of it shares a line with the program.

import { OperationOutcomeError, indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4/index.js';

import { bundleErrors } from './bundles.mjs';
import { structures } from './definitions.mjs';
import { contains } from './terminology.mjs';

/** Rules that are not asked, and why. */
const NOT_ASKED = {
  'app-4': 'the expression names a status that does not exist',
  'ctm-1': 'the expression follows the reference',
  'dom-3': 'the engine does not know the types of what is contained',
  'ele-1': 'what is empty is found by hand, below',
  'eld-16': 'the engine does not take its regular expression',
  'eld-19': 'the engine does not take its regular expression',
  'eld-20': 'the engine does not take its regular expression',
  'que-7': 'the engine tells boolean from Boolean',
  'ras-1': 'the engine does not compare a choice of types',
  'ras-2': 'the engine does not tell decimal from Decimal',
  'rng-2': 'the engine does not compare quantities without a unit',
  'tim-9': 'the engine does not take a union for the list of `in` there',
  'txt-1': 'the engine does not read XHTML',
  'txt-2': 'the engine does not read XHTML',
};

/** What Medplum's engine says of values that are valid. */
const MISTAKEN = [
  // It takes no spaces between the digits, as R4 does.
  /: Invalid base64Binary format$/,
  // R4 says that a string should say something, not that it must.
  /: String must contain non-whitespace content$/,
  // Only texts have this bound, neither narratives nor contents in base64.
  /\.(div|data): String cannot be larger than 1 MB$/,
  // It takes no white space but a blank within a code; the form is looked at below.
  /: Invalid code format$/,
  // It does not tell decimal from Decimal, and takes what is missing for wrong; bdl-8 is asked below.
  /: Constraint (ras-2|bdl-8) not met/,
];

/** The forms that the engine does not look at (https://hl7.org/fhir/R4/datatypes.html); white space is that of XML. */
const URI = /^[^ \t\r\n]+$/;
const FORMS = {
  canonical: URI,
  code: /^[^ \t\r\n]+([ \t\r\n][^ \t\r\n]+)*$/,
  id: /^[A-Za-z0-9.-]{1,64}$/,
  instant: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  uri: URI,
  url: URI,
  xhtml: /^\s*<div[\s>][^]*<\/div>\s*$/,
};
/** What a text may hold. */
const TEXT = /^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff]+$/u;

const definitions = structures();
indexStructureDefinitionBundle(definitions);

/** The elements of all types by their path, as `Patient.contact`. */
const elements = new Map();
/** The names of the types that are no resources. */
const types = new Set();
/** What the values of primitive types are in JSON. */
const primitives = new Map([['http://hl7.org/fhirpath/System.String', 'string']]);
/** The places of the ids of resources. */
const resourceIds = new Set();
const IN_JSON = { boolean: 'boolean', decimal: 'number', integer: 'number', positiveInt: 'number', unsignedInt: 'number' };
for (const { kind, name, snapshot } of definitions) {
  if (kind === 'resource') resourceIds.add(`${name}.id`);
  else types.add(name);
  if (kind === 'primitive-type') primitives.set(name, IN_JSON[name] ?? 'string');
  for (const element of snapshot.element) elements.set(element.path, element);
}
const nested = new Set([...elements.keys()].map((path) => path.replace(/\.[^.]*$/, '')));

const compiled = new Map();

/** The invariant as a function of an element at a path. */
function invariant(base, expression) {
  const key = `${base} ${expression}`;
  if (!compiled.has(key)) {
    const asked = /^[A-Z]\w*$/.test(base) && !types.has(base) ? expression : { base, expression };
    compiled.set(key, fhirpath.compile(asked, r4, { traceFn: () => {} }));
  }
  return compiled.get(key);
}

/** What is wrong with a resource, one line each; none if it is valid. */
export function errorsOf(resource) {
  const found = structureErrors(resource);
  visitResource(resource, { at: resource?.resourceType, root: resource, found });
  // A bundle with an id is kept as somebody sent it.
  if (resource?.resourceType === 'Bundle' && !resource.id) found.push(...bundleErrors(resource));
  return [...new Set(found)];
}

/** What Medplum's engine finds; with a profile what the profile asks for, too. */
export function structureErrors(resource, profile) {
  try {
    validateResource(resource, { profile });
    return [];
  } catch (error) {
    if (!(error instanceof OperationOutcomeError)) throw error;
    const issues = error.outcome.issue.filter(({ severity }) => severity === 'error');
    const all = issues.map((it) => `${it.expression?.[0] ?? ''}: ${it.details?.text ?? it.diagnostics}`);
    return all.filter((it) => !MISTAKEN.some((mistake) => mistake.test(it)));
  }
}

function visitResource(resource, { at, root, found }) {
  if (!elements.has(resource?.resourceType)) {
    found.push(`${at}: no resource`);
    return;
  }
  visit(resource, resource.resourceType, { at, resource, root, found });
}

/** An element with what is in it. `path` is its place in the definitions. */
function visit(value, path, context) {
  const { at, resource, root, found } = context;
  const { constraint = [], type: [type] = [] } = elements.get(path);
  for (const { key, severity, expression, human } of constraint) {
    if (severity !== 'error' || !expression || key in NOT_ASKED) continue;
    const answer = ask(invariant(path, expression), value, { resource, rootResource: root });
    if (answer !== true) found.push(`${at}: ${key} (${human})${answer === false ? '' : ` ${answer}`}`);
  }
  if (value === null || typeof value !== 'object') return;
  if (!Object.keys(value).some((key) => key !== 'id')) found.push(`${at}: nothing in it (ele-1)`);
  // An element of a type of its own has the elements of that type.
  const within = nested.has(path) ? path : type?.code;
  if (within !== path && types.has(within)) {
    visit(value, within, context);
    return;
  }
  for (const [key, child] of Object.entries(value)) {
    // Only a resource says of which type it is.
    if (key !== 'resourceType' || path !== value.resourceType) visitChild(key, child, within, context);
  }
  const chosen = Object.keys(value).map((key) => placeOf(key, within)?.path).filter((it) => it?.endsWith('[x]'));
  if (new Set(chosen).size < chosen.length) found.push(`${at}: two values of one choice`);
}

/** The answer of an invariant; text if it could not be asked. */
function ask(expression, value, environment) {
  try {
    const [answer = true] = expression(value, environment);
    return answer;
  } catch (error) {
    return `was not asked: ${error.message.split('\n')[0]}`;
  }
}

function visitChild(key, child, parent, context) {
  const place = placeOf(key.replace(/^_/, ''), parent);
  const at = `${context.at}.${key}`;
  if (!place) {
    context.found.push(`${at}: not in R4`);
    return;
  }
  const many = Array.isArray(child);
  if (many !== (place.max !== '1')) context.found.push(`${at}: ${many ? 'a' : 'no'} list`);
  if (many && child.length === 0) context.found.push(`${at}: an empty list`);
  for (const [index, value] of (many ? child : [child]).entries()) {
    const inner = { ...context, at: many ? `${at}[${index}]` : at };
    const beside = key.startsWith('_');
    // A gap in a list of values holds the place for what stands beside the value, and the other way round.
    if (value === null && many && primitives.has(place.type.code)) continue;
    if (beside && isObject(value)) visitBeside(value, inner);
    else if (beside) context.found.push(`${inner.at}: no object`);
    else visitValue(value, place, inner);
  }
}

/** The id and the extensions beside a primitive value. */
function visitBeside(value, context) {
  for (const [key, child] of Object.entries(value)) visitChild(key, child, 'Element', context);
}

function visitValue(value, { path, type }, context) {
  const { at, found } = context;
  const kind = primitives.get(type.code) ?? 'object';
  if (kind === 'object' ? !isObject(value) : typeof value !== kind) {
    found.push(`${at}: no ${kind}`);
    return;
  }
  const form = FORMS[type.code] ?? (resourceIds.has(path) ? FORMS.id : undefined);
  if (form && !form.test(value)) found.push(`${at}: no ${type.code}`);
  if (kind === 'string' && !TEXT.test(value)) found.push(`${at}: an empty text, or one with characters that FHIR forbids`);
  const { binding } = elements.get(path);
  if (binding?.strength === 'required') visitBound(value, binding.valueSet, context);
  if (type.code === 'Reference') visitReference(value, type.targetProfile, context);
  if (['Resource', 'DomainResource'].includes(type.code)) {
    // What is contained belongs to its container; what is in a bundle stands for itself.
    const root = path.endsWith('.contained') ? context.root : value;
    visitResource(value, { ...context, root });
  } else if (path.endsWith('[x]') && kind === 'object') {
    visit(value, type.code, context);
  } else {
    visit(value, path, context);
  }
}

/** A reference that says of which type its target is says a type that is allowed there. */
function visitReference({ reference }, allowed, { at, found }) {
  const [, type] = /(?:^|\/)([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/.exec(reference ?? '') ?? [];
  const names = allowed?.map((url) => url.replace(/^.*\//, '')) ?? ['Resource'];
  const fits = !resourceIds.has(`${type}.id`) || names.includes('Resource') || names.includes(type);
  if (!fits) found.push(`${at}: a reference to ${type}`);
}

/** The place of an element in the definitions, its type and how often it may be there. */
function placeOf(name, parent) {
  const element = elements.get(`${parent}.${name}`);
  if (element) {
    // Elements that contain themselves say where they are defined.
    const path = element.contentReference?.replace(/^.*#/, '') ?? element.path;
    return { path, type: elements.get(path).type[0], max: element.max };
  }
  for (let end = name.length - 1; end > 0; end -= 1) {
    const path = `${parent}.${name.slice(0, end)}[x]`;
    const [first, rest] = [name[end], name.slice(end + 1)];
    const all = elements.get(path)?.type ?? [];
    const type = all.find(({ code }) => code[0].toUpperCase() + code.slice(1) === first + rest);
    if (type) return { path, type, max: elements.get(path).max };
  }
  return undefined;
}

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

function visitBound(value, url, { at, found }) {
  const refuse = () => found.push(`${at}: not in ${url}`);
  if (typeof value === 'string') {
    if (contains(url, undefined, value) === false) refuse();
    return;
  }
  // Of the codings of a concept one must be of the value set; a quantity's unit is coded.
  const codings = value.coding ?? ('value' in value && !value.code ? [] : [value]);
  const answers = codings.map(({ system, code }) => contains(url, system ?? '', code));
  if (answers.length && answers.every((answer) => answer === false)) refuse();
  if (!answers.length && 'text' in value) refuse();
}
