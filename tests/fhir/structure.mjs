// Writes `structure/r4.txt`: each element of each type of R4, and the codes of each value set that
// an element must take its code from. `--check` only compares.

import { commit, definitions, structures } from './definitions.mjs';

const SYSTEM = 'http://hl7.org/fhirpath/System.';
/** The types that `value[x]` of an extension and other open elements may have. */
let open;
/** The value sets that are named by an element, by their short name. */
const bound = new Map();

const last = (url) => url.replace(/\|.*$/, '').replace(/^.*\//, '');

function name(type, path) {
  if (!type.code.startsWith(SYSTEM)) return type.code;
  // The definitions call all of these a string of FHIRPath.
  if (path.endsWith('.url')) return 'uri';
  return /^[A-Z]\w+\.id$/.test(path) && resources.has(path.split('.')[0]) ? 'id' : 'element-id';
}

function typed(type, path) {
  const code = name(type, path);
  if (type.profile) return last(type.profile[0]);
  if (code !== 'Reference') return code;
  const targets = (type.targetProfile ?? []).map(last).filter((target) => target !== 'Resource');
  return targets.length ? `Reference(${targets.join(',')})` : code;
}

function types(element) {
  if (element.contentReference) return element.contentReference;
  const all = element.type.map((type) => typed(type, element.path)).join('|');
  return all === open ? '*' : all;
}

function binding(element) {
  if (element.binding?.strength !== 'required') return '';
  const url = element.binding.valueSet.replace(/\|.*$/, '');
  const short = last(url);
  if (bound.has(short) && bound.get(short) !== url) throw new Error(`two value sets named ${short}`);
  bound.set(short, url);
  return ` =${short}`;
}

/** What each element of these types has from the type it is made from, and so is not written. */
const INHERITED = {
  Element: ['id', 'extension'],
  BackboneElement: ['id', 'extension', 'modifierExtension'],
  Resource: ['id', 'meta', 'implicitRules', 'language'],
};
INHERITED.DomainResource = [...INHERITED.Resource, 'text', 'contained', 'extension', 'modifierExtension'];

function written(structure) {
  const above = structure.baseDefinition ? last(structure.baseDefinition) : '';
  // An age is made from a quantity; its elements are written again.
  const parent = above in INHERITED || !above ? above : 'Element';
  const kind = structure.kind === 'resource' ? 'resource' : 'type';
  const lines = [[kind, structure.name, parent].filter(Boolean).join(' ')];
  // The type that the children of each path inherit from.
  const parents = new Map([[structure.name, parent]]);
  for (const element of structure.snapshot.element.slice(1)) {
    const parts = element.path.split('.');
    const own = parts.pop();
    const inherited = INHERITED[parents.get(parts.join('.'))] ?? [];
    if (inherited.includes(own)) continue;
    const all = types(element);
    if (['Element', 'BackboneElement'].includes(all)) parents.set(element.path, all);
    const line = `${own} ${element.min}..${element.max} ${all}${binding(element)}`;
    lines.push(' '.repeat(parts.length) + line);
  }
  return lines;
}

const codeSystems = new Map(definitions('CodeSystem').map((it) => [it.url, it]));
const valueSets = new Map(definitions('ValueSet').map((it) => [it.url, it]));

const concepts = (system) => (system.concept ?? []).flatMap((it) => [it.code, ...concepts(it)]);

/** The codes of one part of a value set, or nothing when they are not to be had without a network. */
function included(part) {
  if (part.filter || part.valueSet) throw new Error(`not understood: ${JSON.stringify(part)}`);
  if (part.concept) return part.concept.map((it) => it.code);
  const system = codeSystems.get(part.system);
  return system?.content === 'complete' ? concepts(system) : undefined;
}

function codes(short, url) {
  const compose = valueSets.get(url)?.compose;
  if (compose?.exclude) throw new Error(`not understood: ${url} excludes`);
  const parts = (compose?.include ?? []).map((part) => [part.system, included(part)]);
  if (!parts.length || parts.some(([, codes]) => !codes)) return [`open ${short}`];
  return [`set ${short}`, ...parts.map(([system, codes]) => ` ${system} ${codes.join(' ')}`)];
}

const all = structures();
const resources = new Set(all.filter((it) => it.kind === 'resource').map((it) => it.name));
const extension = all.find((it) => it.name === 'Extension').snapshot.element;
open = extension.find((it) => it.path === 'Extension.value[x]').type.map((it) => typed(it, '')).join('|');

const complex = all.filter((it) => it.kind !== 'primitive-type');
const lines = [
  "# Made by tests/fhir/structure.mjs from HL7's definitions of FHIR R4 4.0.1 (CC0). Do not edit.",
  '# type|resource NAME PARENT, then its own elements: NAME MIN..MAX TYPES =VALUE-SET',
  `* ${open}`,
  ...complex.flatMap(written),
  '# set NAME, then a system and its codes; `open`: only the form of the code can be checked here',
];
for (const short of [...bound.keys()].sort()) lines.push(...codes(short, bound.get(short)));
commit('structure/r4.txt', lines);
