// The rules of FHIR's REST that clients rely on and seldom ask for by name (https://hl7.org/fhir/R4/http.html).

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openClinic } from './clinic.mjs';
import { assertStatus, openDoor } from './door.mjs';

let clinic;
let door;

before(async () => {
  clinic = await openClinic();
  door = openDoor(clinic);
});

after(async () => {
  await clinic?.close();
});

const condition = (id, text = 'Migraine') => ({
  resourceType: 'Condition',
  id,
  identifier: [{ system: 'urn:x', value: id }],
  subject: { reference: 'http://example.org/fhir/Patient/1' },
  code: { text },
});

test('what must be new is not written over what is there', async () => {
  const isNew = { 'If-None-Match': '*' };
  assertStatus(await door.put('Condition/new', condition('new'), isNew), 201);
  assertStatus(await door.put('Condition/new', condition('new', 'Other'), isNew), 412);
  assert.equal((await door.get('Condition/new')).resource.code.text, 'Migraine');
  assertStatus(await door.put('Condition/other', condition('other'), { 'If-Match': 'W/"1"' }), 404, 412);
});

test('who has the newest version is not sent it again', async () => {
  const { headers } = assertStatus(await door.put('Condition/known', condition('known')), 201);
  const known = await door.get('Condition/known', { headers: { 'If-None-Match': headers.get('etag') } });
  assertStatus(known, 304);
  assert.equal(known.text, '');
  assertStatus(await door.get('Condition/known', { headers: { 'If-None-Match': 'W/"7"' } }), 200);
  const head = assertStatus(await door.ask('HEAD', 'Condition/known'), 200);
  assert.deepEqual([head.text, head.headers.get('etag')], ['', headers.get('etag')]);
});

test('a create with a search is done once', async () => {
  const { id: _, ...body } = condition('once');
  const unless = { 'If-None-Exist': 'identifier=urn:x|once' };
  const first = assertStatus(await door.post('Condition', body, unless), 201);
  const second = assertStatus(await door.post('Condition', body, unless), 200);
  assert.equal(second.resource.id, first.resource.id);
  // Not the standard's header, but what some clients send.
  const third = assertStatus(await door.post('Condition?identifier=urn:x|once', body), 200);
  assert.equal(third.resource.id, first.resource.id);
  assertStatus(await door.post('Condition?identifier=urn:x|once', body, unless), 400);
  assertStatus(await door.post('Condition?_format=json', { ...body, identifier: undefined }), 201);
  assert.equal((await door.get('Condition?identifier=urn:x|once')).resource.total, 1);
});

test('a resource is deleted once, and what was never there is no fault', async () => {
  assertStatus(await door.put('Condition/gone', condition('gone')), 201);
  assertStatus(await door.delete('Condition/gone'), 200, 204);
  assertStatus(await door.get('Condition/gone'), 410);
  assertStatus(await door.delete('Condition/gone'), 200, 204);
  assertStatus(await door.delete('Condition/never-was'), 200, 204);
  assertStatus(await door.get('Condition/gone/_history/1'), 200);
  assertStatus(await door.put('Condition/gone', condition('gone', 'Again')), 200, 201);
  const { resource } = assertStatus(await door.get('Condition/gone/_history'), 200);
  const said = resource.entry.map(({ request: { method, url }, response }) => `${method} ${url} ${response.status.slice(0, 3)}`);
  assert.deepEqual(said.slice(1), ['DELETE Condition/gone 204', 'PUT Condition/gone 201']);
  assert.match(said[0], /^PUT Condition\/gone 20[01]$/);
});

test('a search that cannot be read is refused with 400, or what is wrong in it is left out and named', async () => {
  for (const query of ['_count=-1', 'birthdate=foo', '_cursor=mine', 'name:nonsense=a', 'general-practitioner.name.family=a']) {
    assertStatus(await door.get(`Patient?${query}`), 400);
  }
  const strict = { headers: { Prefer: 'handling=strict' } };
  assertStatus(await door.get('Patient?nonsense=1', strict), 400);
  const { resource } = assertStatus(await door.get('Patient?nonsense=1&_count=1'), 200);
  const outcome = resource.entry.find(({ search }) => search.mode === 'outcome').resource;
  assert.match(outcome.issue[0].diagnostics, /nonsense/);
  const { url } = resource.link.find(({ relation }) => relation === 'self');
  assert.ok(!url.includes('nonsense'), 'the link of itself says what was looked at');
});

test('a part of a resource can be asked for', async () => {
  const { resource: bundle } = await door.get('Patient?_count=1');
  const { id, gender } = bundle.entry[0].resource;
  for (const answer of [await door.get(`Patient/${id}?_elements=gender`), await door.get(`Patient?_id=${id}&_elements=gender`)]) {
    const patient = answer.resource.entry?.[0].resource ?? answer.resource;
    assert.deepEqual(Object.keys(patient).sort(), ['gender', 'id', 'meta', 'resourceType']);
    assert.equal(patient.gender, gender);
    assert.ok(patient.meta.tag.some(({ code }) => code === 'SUBSETTED'));
  }
  const count = await door.get('Patient?_count=0');
  assert.equal(count.resource.total, (await door.get('Patient?_summary=count')).resource.total);
  assert.ok(count.resource.total >= 2_000 && !count.resource.entry);
});

test('the whole box is neither searched nor told in one history, and says so', async () => {
  const { resource } = await door.get('metadata');
  assert.deepEqual(resource.rest[0].interaction.map(({ code }) => code), ['transaction', 'batch']);
  for (const path of ['', '?_type=Patient', '_history', '_history?_count=1', 'Patient/1/Observation']) {
    const { resource: outcome } = assertStatus(await door.get(path), 404, 405);
    assert.match(outcome.issue[0].code, /^not-(supported|found)$/, path);
  }
});

test('what refers to nothing is refused, and the address is not what is wrong', async () => {
  const subjects = ['urn:uuid:8b0f6f3c-5a86-4c3e-9f3a-0f0e4a0c7d10', 'Patient?identifier=urn:x|nobody', 'Patient/nobody'];
  for (const reference of subjects) {
    const { id: _, ...body } = condition('lost');
    const answer = assertStatus(await door.post('Condition', { ...body, subject: { reference } }), 400, 412, 422);
    assert.ok(answer.resource.issue.some(({ expression }) => expression?.[0] === 'Condition.subject'), reference);
  }
});

test('what a write answers with is what was preferred', async () => {
  const answers = {
    minimal: (answer) => assert.equal(answer.text, ''),
    representation: (answer) => assert.equal(answer.resource.resourceType, 'Condition'),
    OperationOutcome: (answer) => assert.equal(answer.resource.resourceType, 'OperationOutcome'),
  };
  for (const [preferred, check] of Object.entries(answers)) {
    const answer = await door.put(`Condition/${preferred}`, condition(preferred), { Prefer: `return=${preferred}` });
    check(assertStatus(answer, 201));
    assert.ok(answer.headers.get('etag'));
  }
});

test('a total is how many there are on all pages', async () => {
  const searches = ['Patient?active=true', 'Patient?gender=female', 'Appointment?status=cancelled', 'Practitioner', 'Task?status=completed'];
  for (const search of searches) {
    const together = search.includes('?') ? `${search}&` : `${search}?`;
    let found = 0;
    for (let page = `${together}_count=200&_elements=id`; page;) {
      const { resource } = assertStatus(await door.get(page), 200);
      found += (resource.entry ?? []).length;
      page = resource.link.find(({ relation }) => relation === 'next')?.url;
    }
    for (const wish of ['_summary=count', '_total=accurate&_count=1']) {
      assert.equal((await door.get(`${together}${wish}`)).resource.total, found, `${search} ${wish}`);
    }
  }
});

test('pages neither lose nor repeat what is written meanwhile', async () => {
  const body = (number) => ({ ...condition(`page-${number}`), category: [{ text: 'paged', coding: [{ system: 'urn:x', code: 'paged' }] }] });
  for (let number = 0; number < 25; number += 1) assertStatus(await door.put(`Condition/page-${number}`, body(number)), 201);
  const ids = [];
  for (let page = 'Condition?category=urn:x|paged&_count=10&_sort=-_lastUpdated'; page;) {
    const { resource } = assertStatus(await door.get(page), 200);
    ids.push(...resource.entry.map((entry) => entry.resource.id));
    page = resource.link.find(({ relation }) => relation === 'next')?.url;
    if (ids.length === 10) assertStatus(await door.put('Condition/page-99', body(99)), 201);
  }
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(Array.from({ length: 25 }, (_, number) => `page-${number}`).every((id) => ids.includes(id)));
});
