// Clients that others wrote and use drive the door without a special case: two of JavaScript, two of
// Python. Every answer that they see is checked on its way.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { MedplumClient } from '@medplum/core';
import { Client } from 'fhir-kit-client';

import { openClinic } from './clinic.mjs';
import { python } from './python.mjs';
import { openProxy } from './proxy.mjs';

const NUMBERS = 'http://example.org/fhir/mrn';

let clinic;
let proxy;

before(async () => {
  clinic = await openClinic();
  proxy = await openProxy(clinic);
});

afterEach(() => {
  assert.deepEqual(proxy.errors.splice(0), [], 'every answer that the client saw is valid');
});

after(async () => {
  await proxy?.close();
  await clinic?.close();
});

const patient = (number, given = 'Meera') => ({
  resourceType: 'Patient',
  identifier: [{ system: NUMBERS, value: number }],
  name: [{ family: 'Iyer', given: [given] }],
  birthDate: '1984-05-02',
});

const condition = (subject) => ({
  resourceType: 'Condition',
  subject: { reference: subject },
  code: { text: 'Migraine' },
});

/** The status with which a call is refused. */
async function refused(call) {
  const error = await call.then(() => assert.fail('it was not refused'), (it) => it);
  return error.response?.status ?? error.outcome?.issue[0].code ?? assert.fail(error.stack);
}

test('fhir-kit-client reads, writes and searches', async () => {
  const client = new Client({ baseUrl: proxy.base, bearerToken: clinic.token });
  assert.equal((await client.capabilityStatement()).fhirVersion, '4.0.1');
  const made = await client.create({ resourceType: 'Patient', body: patient('kit-1') });
  const { id } = made;
  assert.deepEqual(await client.read({ resourceType: 'Patient', id }), made);

  const options = (etag) => ({ headers: { 'If-Match': etag } });
  const body = { ...made, gender: 'female' };
  const changed = await client.update({ resourceType: 'Patient', id, body, options: options('W/"1"') });
  assert.equal(changed.meta.versionId, '2');
  assert.equal(await refused(client.update({ resourceType: 'Patient', id, body, options: options('W/"1"') })), 412);
  assert.deepEqual(await client.vread({ resourceType: 'Patient', id, version: '1' }), made);
  const history = await client.history({ resourceType: 'Patient', id });
  assert.deepEqual(history.entry.map(({ resource }) => resource.meta.versionId), ['2', '1']);

  const jsonPatch = [{ op: 'replace', path: '/gender', value: 'other' }];
  assert.equal((await client.patch({ resourceType: 'Patient', id, jsonPatch })).gender, 'other');

  const searchParams = { identifier: `${NUMBERS}|kit-1` };
  for (const postSearch of [false, true]) {
    const found = await client.search({ resourceType: 'Patient', searchParams, options: { postSearch } });
    assert.deepEqual(found.entry.map(({ resource }) => resource.id), [id]);
  }
  const upserted = await client.update({ resourceType: 'Patient', searchParams, body: patient('kit-1', 'Mira') });
  assert.equal(upserted.id, id);
  const again = { headers: { 'If-None-Exist': `identifier=${NUMBERS}|kit-1` } };
  assert.equal((await client.create({ resourceType: 'Patient', body: patient('kit-1'), options: again })).id, id);

  assert.equal(await refused(client.read({ resourceType: 'Patient', id: 'nobody' })), 404);
  const migraine = await client.create({ resourceType: 'Condition', body: condition(`Patient/${id}`) });
  assert.deepEqual(await client.resolve({ reference: migraine.subject.reference }), await client.read({ resourceType: 'Patient', id }));
  await client.delete({ resourceType: 'Condition', id: migraine.id });
  assert.equal(await refused(client.read({ resourceType: 'Condition', id: migraine.id })), 410);
});

test('fhir-kit-client turns the pages of a search', async () => {
  const client = new Client({ baseUrl: proxy.base, bearerToken: clinic.token });
  const searchParams = { gender: 'female', _count: 100, _total: 'accurate' };
  const ids = [];
  let bundle = await client.search({ resourceType: 'Patient', searchParams });
  const { total } = bundle;
  for (; bundle; bundle = await client.nextPage({ bundle })) {
    ids.push(...(bundle.entry ?? []).map(({ resource }) => resource.id));
  }
  assert.ok(total > 500, `${total} patients`);
  assert.equal(ids.length, total);
  assert.equal(new Set(ids).size, total, 'each is on one page');
});

test('fhir-kit-client sends a transaction and a batch', async () => {
  const client = new Client({ baseUrl: proxy.base, bearerToken: clinic.token });
  const [whom, which] = [`urn:uuid:${crypto.randomUUID()}`, `urn:uuid:${crypto.randomUUID()}`];
  const request = (method, url) => ({ method, url });
  const entry = [
    { fullUrl: which, resource: condition(whom), request: request('POST', 'Condition') },
    { fullUrl: whom, resource: patient('kit-2'), request: request('POST', 'Patient') },
    { request: request('GET', `Patient?identifier=${NUMBERS}|kit-2`) },
  ];
  const answer = await client.transaction({ body: { resourceType: 'Bundle', type: 'transaction', entry } });
  const [migraine, somebody, found] = answer.entry.map(({ resource }) => resource);
  assert.equal(migraine.subject.reference, `Patient/${somebody.id}`);
  assert.equal(found.entry[0].resource.id, somebody.id, 'what is read is read last');

  const body = {
    resourceType: 'Bundle',
    type: 'batch',
    entry: [
      { request: request('GET', `Patient/${somebody.id}`) },
      { request: request('GET', 'Patient/nobody') },
      { resource: condition(`Patient/${somebody.id}`), request: request('POST', 'Condition') },
    ],
  };
  const statuses = (await client.batch({ body })).entry.map(({ response }) => response.status.slice(0, 3));
  assert.deepEqual(statuses, ['200', '404', '201']);

  // One entry that cannot be done undoes all of it.
  const wrong = [
    { fullUrl: whom, resource: patient('kit-3'), request: request('POST', 'Patient') },
    { resource: condition('Patient/nobody'), request: request('POST', 'Condition') },
  ];
  assert.equal(await refused(client.transaction({ body: { resourceType: 'Bundle', type: 'transaction', entry: wrong } })), 422);
  const nobody = await client.search({ resourceType: 'Patient', searchParams: { identifier: `${NUMBERS}|kit-3` } });
  assert.equal(nobody.total, 0);
});

test('fhir-kit-client books a free slot, and is told of others when it is taken', async () => {
  const client = new Client({ baseUrl: proxy.base, bearerToken: clinic.token });
  const tomorrow = new Date(Date.now() + 36 * 3_600_000).toISOString().slice(0, 10);
  const free = await client.search({ resourceType: 'Slot', searchParams: { status: 'free', start: `ge${tomorrow}`, _count: 1 } });
  const slot = free.entry[0].resource;
  const schedule = await client.resolve({ reference: slot.schedule.reference });
  const practitioner = schedule.actor.find(({ reference }) => reference.startsWith('Practitioner/'));
  const booking = (whom) => ({
    resourceType: 'Appointment',
    status: 'booked',
    slot: [{ reference: `Slot/${slot.id}` }],
    start: slot.start,
    end: slot.end,
    reasonCode: [{ text: 'Headache' }],
    participant: [
      { actor: { reference: `Patient/${whom}` }, status: 'accepted' },
      { actor: practitioner, status: 'accepted' },
    ],
  });
  const [one, other] = await Promise.all(
    ['kit-4', 'kit-5'].map((number) => client.create({ resourceType: 'Patient', body: patient(number) })),
  );
  const booked = await client.create({ resourceType: 'Appointment', body: booking(one.id) });
  assert.equal(booked.status, 'booked');
  assert.equal(booked.slot[0].reference, `Slot/${slot.id}`);
  const error = await client.create({ resourceType: 'Appointment', body: booking(other.id) }).catch((it) => it);
  assert.equal(error.response.status, 409);
  const [issue] = error.response.data.issue;
  assert.equal(issue.code, 'conflict');
  assert.ok(issue.extension.every(({ valueReference }) => valueReference.reference.startsWith('Slot/')));
  const mine = { 'patient.identifier': `${NUMBERS}|kit-4`, _include: 'Appointment:patient' };
  const found = await client.search({ resourceType: 'Appointment', searchParams: mine });
  assert.deepEqual(found.entry.map(({ resource, search }) => [resource.id, search.mode]), [[booked.id, 'match'], [one.id, 'include']]);
  const body = { ...booked, status: 'cancelled', cancelationReason: { text: 'Cannot come' } };
  assert.equal((await client.update({ resourceType: 'Appointment', id: booked.id, body })).status, 'cancelled');
  assert.equal((await client.create({ resourceType: 'Appointment', body: booking(other.id) })).status, 'booked');
});

test("Medplum's client reads, writes and searches", async () => {
  const client = new MedplumClient({
    baseUrl: proxy.base.replace(/fhir$/, ''),
    fhirUrlPath: 'fhir',
    cacheTime: 0,
    fetch: (url, { headers, ...options }) =>
      fetch(url, { ...options, headers: { ...headers, Authorization: `Bearer ${clinic.token}` } }),
  });
  const made = await client.createResource(patient('medplum-1'));
  assert.deepEqual(await client.readResource('Patient', made.id), made);
  const changed = await client.updateResource({ ...made, gender: 'female' });
  assert.equal(changed.meta.versionId, '2');
  const stale = { headers: { 'If-Match': 'W/"1"' } };
  assert.equal(await refused(client.updateResource({ ...made, gender: 'male' }, stale)), 'conflict');
  assert.deepEqual(await client.readVersion('Patient', made.id, '1'), made);
  assert.equal((await client.readHistory('Patient', made.id)).entry.length, 2);
  const operations = [{ op: 'add', path: '/maritalStatus', value: { text: 'Married' } }];
  assert.equal((await client.patchResource('Patient', made.id, operations)).maritalStatus.text, 'Married');

  const query = `identifier=${NUMBERS}|medplum-1`;
  assert.equal((await client.searchOne('Patient', query)).id, made.id);
  assert.equal((await client.createResourceIfNoneExist(patient('medplum-1'), query)).id, made.id);
  assert.equal((await client.upsertResource(patient('medplum-1'), query)).id, made.id);
  const ids = [];
  for await (const page of client.searchResourcePages('Practitioner', '_count=3')) ids.push(...page.map(({ id }) => id));
  assert.deepEqual(new Set(ids).size, ids.length);
  assert.equal(ids.length, 8);

  const migraine = await client.createResource(condition(`Patient/${made.id}`));
  const seen = await client.searchResources('Condition', `patient=${made.id}&_include=Condition:patient`);
  assert.deepEqual(seen.map(({ id }) => id), [migraine.id, made.id]);
  await client.deleteResource('Condition', migraine.id);
  assert.equal(await refused(client.readResource('Condition', migraine.id)), 'deleted');
  assert.equal(await refused(client.readResource('Condition', 'nothing')), 'not-found');
});

for (const name of ['fhirpy', 'fhirclient']) {
  test(`${name} (Python) reads, writes and searches`, async (context) => {
    const missing = await python(`with_${name}.py`, { BASE: proxy.base, TOKEN: clinic.token });
    if (missing) context.skip(missing);
  });
}
