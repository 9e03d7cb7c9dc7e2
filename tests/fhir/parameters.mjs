// Writes `chart/parameters.txt`: where in each type of resource the values lie that the search
// parameters of a chart find. `--check` only compares.

import { commit, definitions, structures } from './definitions.mjs';

const PARAMETERS = ['identifier', 'patient', 'subject', 'date', 'code', 'status', 'category'];
/** The types of element that each type of parameter finds (R4, search.html). */
const FOUND = {
  token: ['boolean', 'code', 'CodeableConcept', 'Coding', 'id', 'Identifier', 'string', 'uri'],
  reference: ['canonical', 'Reference'],
  date: ['date', 'dateTime', 'instant', 'Period', 'Timing'],
};

const elements = new Map();
for (const structure of structures()) {
  for (const element of structure.snapshot.element) elements.set(element.path, element);
}

/** `(A.b as T)` and `A.b.where(resolve() is T)` as a path and the type it must be of. */
function understood(part) {
  const cast = /^\((\S+) as (\w+)\)$/.exec(part);
  if (cast) return { path: cast[1], only: cast[2] };
  const resolved = /^(\S+)\.where\(resolve\(\) is (\w+)\)$/.exec(part);
  if (resolved) return { path: resolved[1], target: resolved[2] };
  if (!/^[\w.]+$/.test(part)) throw new Error(`not understood: ${part}`);
  return { path: part };
}

/** The keys and the type behind a path, one for each type that a choice may be of. */
function places({ path, only, target }, found) {
  const [resource, ...parts] = path.split('.');
  let at = resource;
  let keys = [''];
  let types = [];
  for (const part of parts) {
    const one = elements.get(`${at}.${part}`);
    const choice = elements.get(`${at}.${part}[x]`);
    if (!one && !choice) throw new Error(`no such element: ${path}`);
    types = (one ?? choice).type.map((type) => type.code);
    const name = (type) => (one ? part : part + type[0].toUpperCase() + type.slice(1));
    at = one && elements.get(`${at}.${part}`).type[0].code.endsWith('Element') ? `${at}.${part}` : types[0];
    keys = types.map((type) => `${keys[0]}${keys[0] && '.'}${name(type)}`);
  }
  const all = types.map((type, index) => ({ key: keys[index], type }));
  const wanted = all.filter(({ type }) => found.includes(type) && (!only || only === type));
  return wanted.map(({ key, type }) => `${key}:${type}${target ? `=${target}` : ''}`);
}

const byResource = new Map();
for (const parameter of definitions('SearchParameter')) {
  if (!PARAMETERS.includes(parameter.code) || !parameter.expression) continue;
  const found = FOUND[parameter.type];
  for (const part of parameter.expression.split('|').map((it) => it.trim())) {
    const one = understood(part);
    // A `patient` that may be somebody else is found when it is a patient.
    if (parameter.code === 'patient') one.target = 'Patient';
    const resource = one.path.split('.')[0];
    const of = byResource.get(resource) ?? new Map();
    const paths = of.get(parameter.code) ?? new Set();
    for (const place of places(one, found)) paths.add(place);
    byResource.set(resource, of.set(parameter.code, paths));
  }
}

const lines = [
  '# Made by tests/fhir/parameters.mjs from HL7\'s definitions of FHIR R4 4.0.1 (CC0). Do not edit.',
  '# A type of resource, then its parameters: NAME, and where its values lie as PATH:TYPE',
  '# PATH:TYPE=TARGET finds references to resources of the type TARGET only',
];
for (const [resource, of] of [...byResource].sort(([a], [b]) => (a < b ? -1 : 1))) {
  lines.push(resource);
  for (const name of PARAMETERS.filter((it) => of.get(it)?.size)) {
    lines.push(` ${name} ${[...of.get(name)].join(' ')}`);
  }
}
commit('chart/parameters.txt', lines);
