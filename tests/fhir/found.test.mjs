// What the CapabilityStatement promises is there: each interaction, and each search parameter finds what
// HL7's own expression finds in the same resources.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openClinic } from './clinic.mjs';
import { definitions } from './definitions.mjs';
import { assertStatus, openDoor } from './door.mjs';
import * as examples from './examples.mjs';
import { Sending } from './sending.mjs';
import { valuesOf } from './values.mjs';

/** Of each type so many resources are searched for. */
const RESOURCES = 30;
/** Of these HL7 says that the server decides what they find. */
const NO_VALUES = new Set(['phonetic']);

let clinic;
let door;
/** The CapabilityStatement's resources. */
let promised;
let sending;

before(async () => {
  clinic = await openClinic();
  // Not every system may read the audit.
  door = openDoor({ ...clinic, token: clinic.admin });
  const { resource } = await door.get('metadata');
  promised = resource.rest[0].resource;
  sending = new Sending(door);
  await sending.all(examples.names().filter((name) => examples.text(name).length < 100_000));
});

after(async () => {
  await clinic?.close();
});

const JSON_PATCH = { 'Content-Type': 'application/json-patch+json' };
const strict = { headers: { Prefer: 'handling=strict' } };

test('what can be done with a type is what is said, and nothing else', async () => {
  const body = (resourceType) => ({ resourceType, id: 'nothing' });
  const asks = {
    read: (type) => door.get(`${type}/nothing`),
    vread: (type) => door.get(`${type}/nothing/_history/1`),
    update: (type) => door.put(`${type}/nothing`, body(type)),
    patch: (type) => door.patch(`${type}/nothing`, [{ op: 'add', path: '/language', value: 'en' }], JSON_PATCH),
    delete: (type) => door.delete(`${type}/nothing`),
    'history-instance': (type) => door.get(`${type}/nothing/_history`),
    'history-type': (type) => door.get(`${type}/_history?_count=1`),
    create: (type) => door.post(type, body(type), { 'If-None-Exist': '_id=nothing&_id=nothing' }),
    'search-type': (type) => door.get(`${type}?_count=1`),
  };
  const wrong = [];
  for (const { type, interaction } of promised) {
    const codes = new Set(interaction.map(({ code }) => code));
    for (const [code, ask] of Object.entries(asks)) {
      const { status, resource } = await ask(type);
      const isDone = ['history-type', 'search-type'].includes(code) ? status === 200 : status !== 405;
      const isThere = codes.has(code) ? isDone && resource?.issue?.[0].code !== 'not-supported' : status < 400;
      if (isThere !== codes.has(code)) wrong.push(`${type} ${code}: ${status}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('a search parameter that is not said is not looked at, and a strict search by it is refused', async () => {
  const all = definitions('SearchParameter').filter(({ id }) => !id.startsWith('example'));
  const wrong = [];
  let refused = 0;
  for (const { type, searchParam = [] } of promised) {
    const said = new Set(searchParam.map(({ name }) => name));
    const others = all.filter(({ base = [], code }) => ['Resource', 'DomainResource', type].some((it) => base.includes(it)) && !said.has(code));
    for (const { code } of said.size ? others : []) {
      const { status, resource } = await door.get(`${type}?${code}=1`, strict);
      if (status !== 400 || resource.issue[0].code !== 'not-supported') wrong.push(`${type}?${code}: ${status}`);
      refused += 1;
    }
  }
  console.log(`${refused} search parameters of R4 are not said, and refused`);
  assert.deepEqual(wrong, []);
});

/** A text of a search parameter: its separators are escaped. */
const escaped = (text) => encodeURIComponent(String(text).replaceAll(/[\\,|$]/g, (it) => `\\${it}`));

/** How a value is searched for by its kind; nothing if it says nothing to search for. */
const PROBES = {
  token(value) {
    if (typeof value !== 'object') return escaped(value);
    const coding = value.coding ? value.coding.find(({ code }) => code) : value;
    const code = coding?.code ?? coding?.value;
    if (!code) return undefined;
    // A system of a contact point is no system of codes.
    return coding.system && /[:/]/.test(coding.system) ? `${escaped(coding.system)}%7C${escaped(code)}` : escaped(code);
  },
  string(value) {
    if (typeof value === 'string') return escaped(value);
    const { family, given = [], city, country, line = [] } = value;
    const [text] = [value.text, family, ...given, city, country, ...line].filter(Boolean);
    return text && escaped(text);
  },
  reference(value) {
    if (typeof value === 'string') return escaped(value);
    return value.reference && !value.reference.startsWith('#') ? escaped(value.reference) : undefined;
  },
  date(value) {
    // A day without a zone is one of the clinic's; an instant is the same everywhere.
    if (typeof value === 'string') return encodeURIComponent(value);
    return value.start && `ge${encodeURIComponent(value.start)}`;
  },
  uri: (value) => escaped(value),
  number: (value) => String(value),
  quantity: (value) => (value.value === undefined ? undefined : String(value.value)),
};

/** What is searched for so is in no resource. */
const NOTHING = {
  token: 'no-such-code',
  string: 'no such text',
  reference: 'Patient/no-such-id',
  date: '1066-10-14',
  uri: 'urn:no-such',
  number: '-7',
  quantity: '-7',
};

/** How many resources are found; what is wrong is said if the search is refused. */
function count({ status, resource }) {
  const matches = (resource.entry ?? []).filter(({ search }) => search.mode === 'match');
  return status === 200 ? matches.length : `${status} ${resource.issue?.[0].diagnostics}`;
}

/** Tries a parameter on a resource of which it finds a value; answers what is wrong. */
async function tried(type, { name, type: kind }, resource) {
  const [value] = valuesOf(resource, name) ?? [];
  const probe = value === undefined ? undefined : PROBES[kind]?.(value);
  if (probe === undefined) return undefined;
  const asked = [
    [`${name}=${probe}`, 1],
    [`${name}=${NOTHING[kind]}`, 0],
    [`${name}:missing=false`, 1],
    [`${name}:missing=true`, 0],
  ];
  const wrong = [];
  for (const [query, wanted] of asked) {
    const found = count(await door.get(`${type}?_id=${resource.id}&${query}`, strict));
    if (found !== wanted) wrong.push(`${type}?${query} of ${resource.id} finds ${found}`);
  }
  return wrong;
}

/** Tries a parameter that has no value in any resource here; answers what is wrong. */
async function answered(type, { name, type: kind }) {
  const answer = await door.get(`${type}?${name}=${NOTHING[kind]}&_count=1`, strict);
  return answer.status === 200 ? [] : [`${type}?${name}: ${answer.status} ${answer.text.slice(0, 200)}`];
}

test('each search parameter finds what it says', async () => {
  const wrong = [];
  let [asked, silent] = [0, 0];
  for (const { type, searchParam = [] } of promised) {
    const sent = [...sending.sent.keys()].filter((it) => it.startsWith(`${type}/`)).map((it) => it.split('/')[1]);
    const resources = [];
    for (const search of [...(sent.length ? [`_id=${sent.slice(0, RESOURCES)}&`] : []), '']) {
      const { resource: bundle } = assertStatus(await door.get(`${type}?${search}_count=${RESOURCES}`), 200);
      resources.push(...(bundle.entry ?? []).map((entry) => entry.resource));
    }
    for (const parameter of searchParam) {
      let found;
      for (const resource of NO_VALUES.has(parameter.name) ? [] : resources) {
        found = await tried(type, parameter, resource);
        if (found) break;
      }
      wrong.push(...(found ?? (await answered(type, parameter))));
      if (found) asked += 1;
      else silent += 1;
    }
  }
  console.log(`${asked} search parameters found what they say; ${silent} have no value in any resource here`);
  assert.deepEqual(wrong, []);
});
