// HL7's own examples of R4 are taken, or refused for a reason that is written down and true, and come
// back as they were sent (`sending.mjs` says how). FHIR_EXAMPLES=all takes the thousands of definitions of
// R4, too, of which otherwise a sample is taken.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { openClinic } from './clinic.mjs';
import { assertStatus, openDoor } from './door.mjs';
import * as examples from './examples.mjs';
import { redirect } from './references.mjs';
import { differences } from './same.mjs';
import { Sending } from './sending.mjs';

/** The refusals: FILE STATUS CODE ELEMENT why. */
const REFUSED = 'refused-by-the-door.txt';
/** Models without a base (sdf-4): the box keeps definitions of FHIR without asking for each of their rules. */
const NOT_SENT = /^StructureDefinition-(Definition|Event|FiveWs|Request)\.json$/;
/** What the box has records of or computes, beside what is kept as it is given. */
const MAPPED = new Set(
  ('Appointment AppointmentResponse AuditEvent Device Encounter HealthcareService Location Organization Patient '
    + 'Practitioner PractitionerRole Provenance RelatedPerson Schedule Slot Task').split(' '),
);

let clinic;
let door;
/** The system of the clinic's own numbers of patients. */
let own;
let sending;

before(async () => {
  clinic = await openClinic();
  door = openDoor(clinic);
  sending = new Sending(door);
  const { resource } = await door.get('Organization');
  own = `urn:uuid:${resource.entry[0].resource.id}`;
});

after(async () => {
  console.log(`the most memory of the box: ${await clinic?.memory()} MiB`);
  await clinic?.close();
});

/** The lines of refusals without their reasons. */
function expectedRefusals(names) {
  const lines = readFileSync(new URL(REFUSED, import.meta.url), 'utf8').split('\n');
  const all = lines.filter((line) => line && !line.startsWith('#'));
  for (const line of all) assert.match(line, /^\S+ \d{3} \S+ \S+: \S.+$/, 'a line says why');
  return all.map((line) => line.replace(/: .*$/, '')).filter((line) => names.has(line.split(' ')[0]));
}

test('every example is taken and comes back, or is refused for a reason that is true', async () => {
  const names = examples.names().filter((name) => !NOT_SENT.test(name));
  const changed = [];
  await sending.all(names, async ({ name, place, resource, answer }) => {
    assertStatus(answer, 201);
    const read = assertStatus(await door.get(place), 200);
    assert.equal(read.text, answer.text, 'what is created is what is read');
    changed.push(...differences(resource, read.exact, own).map((it) => `${name}${it}`));
  });
  assert.deepEqual(changed, []);
  assert.deepEqual(sending.refused.sort(), expectedRefusals(new Set(names)).sort());
  console.log(`${sending.sent.size} of ${names.length} examples taken`);
});

test('what was read can be written back and is the same', async () => {
  for (const place of [...sending.sent.keys()].filter((it) => MAPPED.has(it.split('/')[0]))) {
    const read = await door.get(place);
    const written = await door.put(place, read.exact, { 'If-Match': read.headers.get('etag') });
    assert.equal(written.status, 200, `${place} ${written.text}`);
    assert.deepEqual(differences(read.exact, written.exact), [], place);
    assert.ok(Number(written.resource.meta.versionId) >= Number(read.resource.meta.versionId));
  }
});

test('the chart of a patient is found by the patient', async () => {
  for (const example of ['Patient/example', 'Patient/f001', 'Patient/pat1']) {
    const patient = sending.known.get(example);
    for (const type of ['Observation', 'Condition', 'AllergyIntolerance', 'MedicationRequest', 'Procedure']) {
      const answer = assertStatus(await door.get(`${type}?patient=${patient}&_count=1000`), 200);
      const about = ({ subject, patient: whose }) => [subject, whose].some((it) => it?.reference === patient);
      const wanted = [...sending.sent].filter(([place, it]) => place.startsWith(`${type}/`) && about(it)).map(([place]) => place);
      const found = (answer.resource.entry ?? []).map(({ resource }) => `${type}/${resource.id}`);
      assert.deepEqual(found.sort(), wanted.sort(), `${type} of ${example}`);
    }
  }
});

test('a reference to what is not there is refused', async () => {
  const condition = { resourceType: 'Condition', subject: { reference: 'Patient/example' } };
  const { resource } = assertStatus(await door.post('Condition', condition), 422);
  assert.ok(resource.issue.some(({ expression }) => expression?.includes('Condition.subject')), 'it says where');
});

/** Sends a transaction, and reads each of its resources back. */
async function transact(entries) {
  const bundle = { resourceType: 'Bundle', type: 'transaction', entry: entries };
  const { resource: answer } = assertStatus(await door.post('', bundle), 200);
  assert.equal(answer.entry.length, entries.length, 'an answer to each entry, in order');
  const places = new Map();
  for (const [index, { response }] of answer.entry.entries()) {
    assert.match(response.status, /^201/);
    const [, place] = /(\w+\/[^/]+)\/_history\/\d+$/.exec(response.location);
    places.set(entries[index].fullUrl, place);
  }
  for (const { fullUrl, resource } of entries) {
    const there = JSON.parse(JSON.stringify(resource).replaceAll(/urn:uuid:[0-9a-f-]{36}/g, (url) => places.get(url) ?? url));
    const read = assertStatus(await door.get(places.get(fullUrl)), 200);
    assert.deepEqual(differences(there, read.exact, own), [], places.get(fullUrl));
  }
  return places;
}

test('one transaction takes all examples together, in any order', async () => {
  const refused = new Set(expectedRefusals(new Set(examples.names())).map((line) => line.split(' ')[0]));
  const isWanted = (name) => !refused.has(name) && !name.startsWith('Bundle-') && examples.isAboutCare(name);
  const all = examples.names().filter(isWanted).map((name) => examples.read(name));
  const urls = new Map(all.map((it) => [`${it.resourceType}/${it.id}`, `urn:uuid:${crypto.randomUUID()}`]));
  // The last are first: those who are referred to come after those who refer to them.
  const entries = all.reverse().map((it) => ({
    fullUrl: urls.get(`${it.resourceType}/${it.id}`),
    resource: withOtherNumbers(redirect(it, (to) => urls.get(to))),
    request: { method: 'POST', url: it.resourceType },
  }));
  assert.ok(entries.length > 500, `${entries.length} entries`);
  await transact(entries);
});

/** A patient with other numbers: no two patients of a clinic have the same. */
function withOtherNumbers(resource) {
  if (resource.resourceType !== 'Patient') return resource;
  const identifier = resource.identifier?.map((it) => ({ ...it, value: `${it.value}-again` }));
  return identifier ? { ...resource, identifier } : resource;
}

test("HL7's transaction of a tissue typing report is taken as a transaction", async () => {
  const bundle = redirect(examples.read('Bundle-hla-1.json'), (to) => sending.known.get(to));
  await transact(bundle.entry);
});
