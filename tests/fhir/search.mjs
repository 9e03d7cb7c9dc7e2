// Writes `search/parameters.txt`: the search parameters that are answered beside those of a chart
// (`chart/parameters.txt`), with what they are and where in each type of resource their values lie.
// `--check` only compares.

import { commit, definitions, structures } from './definitions.mjs';

const ADDRESS = 'address address-city address-country address-postalcode address-state address-use';
const REACHED = 'email phone telecom';
/** What each type of resource is found by, beside what every chart is found by. */
const PARAMETERS = {
  Appointment:
    'actor appointment-type based-on location part-status practitioner reason-code service-category '
    + 'service-type slot specialty',
  AuditEvent: 'action agent entity outcome type',
  Communication: 'medium received recipient sender sent',
  CommunicationRequest: 'authored medium occurrence recipient requester sender',
  Consent: 'period scope',
  Device: 'device-name location organization type',
  Encounter: 'appointment class location participant practitioner type',
  HealthcareService: 'active location name organization service-category service-type specialty',
  Location: `${ADDRESS} name organization partof type`,
  Organization: `active ${ADDRESS} name partof type`,
  Patient:
    `active ${ADDRESS} birthdate ${REACHED} family gender general-practitioner given language link `
    + 'name phonetic',
  Practitioner: `active ${REACHED} family gender given name phonetic`,
  PractitionerRole: 'active location organization practitioner role service specialty',
  Provenance: 'agent recorded target',
  Questionnaire: 'url',
  RelatedPerson: `active birthdate ${REACHED} gender name phonetic relationship`,
  RiskAssessment: 'probability',
  Schedule: 'active actor service-category service-type specialty',
  Slot: 'appointment-type schedule service-category service-type specialty start',
  Task: 'authored-on business-status focus group-identifier modified owner priority',
};
/** The parameters of a chart that may point to more than one type of resource. */
const OF_A_CHART = ['subject'];
/** Of a parameter that may point to more than these, HL7 lists every type there is. */
const TARGETS_MAX = 20;
/** The types of element that each type of parameter finds (R4, search.html). */
const FOUND = {
  token: ['boolean', 'code', 'CodeableConcept', 'Coding', 'ContactPoint', 'Identifier'],
  reference: ['Reference'],
  date: ['date', 'dateTime', 'instant', 'Period'],
  string: ['Address', 'HumanName', 'string'],
  number: ['decimal', 'integer', 'positiveInt', 'unsignedInt'],
  uri: ['canonical', 'uri', 'url'],
};

const all = structures();
const elements = new Map();
for (const structure of all) {
  for (const element of structure.snapshot.element) elements.set(element.path, element);
}

/** The path of a part of an expression, `where` written as `telecom[system=phone]`, and its type. */
function understood(part) {
  const cast = /^\((\S+) as (\w+)\)$/.exec(part);
  if (cast) return { path: cast[1], only: cast[2] };
  const resolved = /^(\S+)\.where\(resolve\(\) is (\w+)\)$/.exec(part);
  if (resolved) return { path: resolved[1], target: resolved[2] };
  const path = part.replace(/\.where\((\w+)='(\w+)'\)/g, '[$1=$2]');
  if (!/^[\w.[\]=]+$/.test(path)) throw new Error(`not understood: ${part}`);
  return { path };
}

/** The keys and the type behind a path, one for each type that a choice may be of. */
function places({ path, only, target }, found) {
  const [resource, ...parts] = path.split('.');
  let at = resource;
  let keys = [''];
  let types = [];
  for (const part of parts) {
    const name = part.replace(/\[.*/, '');
    const one = elements.get(`${at}.${name}`);
    const choice = elements.get(`${at}.${name}[x]`);
    if (!one && !choice) throw new Error(`no such element: ${path}`);
    types = (one ?? choice).type.map((type) => type.code);
    const key = (type) => (one ? part : part + type[0].toUpperCase() + type.slice(1));
    at = one && types[0].endsWith('Element') ? `${at}.${name}` : types[0];
    keys = types.map((type) => `${keys[0]}${keys[0] && '.'}${key(type)}`);
  }
  return types
    .map((type, index) => ({ key: keys[index], type }))
    .filter(({ type }) => found.includes(type) && (!only || only === type))
    .map(({ key, type }) => `${key}:${type}${target ? `=${target}` : ''}`);
}

/** `reference(Group,Patient)`; of one that may point to anything `reference(*)`. */
function kind({ type, target = [] }) {
  if (type !== 'reference') return type;
  return `reference(${target.length > TARGETS_MAX ? '*' : [...target].sort().join(',')})`;
}

const byResource = new Map();
for (const parameter of definitions('SearchParameter')) {
  // How a parameter of one's own is defined is shown by examples.
  if (parameter.id.startsWith('example')) continue;
  for (const resource of parameter.base ?? []) {
    const asked = (PARAMETERS[resource] ?? '').split(' ').includes(parameter.code);
    const ofChart = OF_A_CHART.includes(parameter.code);
    if (!parameter.expression || !(asked || ofChart)) continue;
    const found = new Set();
    for (const part of parameter.expression.split('|').map((it) => it.trim())) {
      const one = understood(part);
      if (one.path.split('.')[0] !== resource || ofChart) continue;
      for (const place of places(one, FOUND[parameter.type])) found.add(place);
    }
    if (asked && !found.size) throw new Error(`nothing is found: ${resource} ${parameter.code}`);
    const of = byResource.get(resource) ?? new Map();
    byResource.set(resource, of.set(parameter.code, [kind(parameter), ...found].join(' ')));
  }
}

const lines = [
  '# Made by tests/fhir/search.mjs from HL7\'s definitions of FHIR R4 4.0.1 (CC0). Do not edit.',
  '# A type of resource, then its parameters: NAME KIND, and where its values lie as PATH:TYPE',
  '# `telecom[system=phone]` are the entries whose `system` is `phone`; PATH:TYPE=TARGET finds',
  '# references to resources of the type TARGET only; those without a place are in chart/parameters.txt',
];
for (const [resource, of] of [...byResource].sort(([a], [b]) => (a < b ? -1 : 1))) {
  lines.push(resource);
  for (const name of [...of.keys()].sort()) lines.push(` ${name} ${of.get(name)}`);
}
for (const [resource, names] of Object.entries(PARAMETERS)) {
  for (const name of names.split(' ')) {
    if (!byResource.get(resource)?.has(name)) throw new Error(`R4 has no ${resource} ${name}`);
  }
}
commit('search/parameters.txt', lines);
