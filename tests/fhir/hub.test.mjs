// The hub's FHIR as another system asks it: every answer is valid R4 to the validator of these tests, and
// holds what the box answers to the same.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

import { PROGRAM } from '../serving.mjs';
import { openClinic } from './clinic.mjs';
import { assertStatus, openDoor } from './door.mjs';

/** How long the box may take to tell the demonstration's records: a debug build on a busy machine. */
const TOLD_MS_MAX = 180_000;

const HUB = PROGRAM.replace(/carepost$/, 'carepost-hub');

let clinic;
let box;
let hub;

async function carepostHub(...words) {
  const { stdout } = await promisify(execFile)(HUB, words);
  return stdout.trim();
}

/** The ids of what fits, on all pages. */
async function ids(door, path) {
  const found = [];
  for (let next = path; next; ) {
    const { resource } = assertStatus(await door.get(next), 200);
    const matches = (resource.entry ?? []).filter(({ search }) => search.mode === 'match');
    found.push(...matches.map((entry) => entry.resource.id));
    next = resource.link.find(({ relation }) => relation === 'next')?.url;
  }
  return found.sort();
}

before(async () => {
  clinic = await openClinic();
  box = openDoor(clinic);
  const [, address] = /hub +(http:\/\/\S+)/.exec(clinic.said()) ?? [];
  const [, name, data] = /clinic status "([^"]+)" --data (\S+)/.exec(clinic.said()) ?? [];
  assert.ok(address, 'the demonstration has a hub: cargo build');
  const place = ['--data', data];
  const { clinic: id } = JSON.parse(await carepostHub('clinic', 'status', name, '--json', ...place));
  const words = ['--clinic', name, '--name', 'another system', '--scope', 'system/*.cruds'];
  const token = await carepostHub('token', 'create', ...words, ...place);
  hub = openDoor({ base: `${address}/fhir/${id}`, token });
  const all = await ids(box, 'Patient?_count=1000&_elements=id');
  const deadline = Date.now() + TOLD_MS_MAX;
  while ((await ids(hub, 'Patient?_count=1000&_elements=id')).length < all.length) {
    assert.ok(Date.now() < deadline, 'the box tells its records');
    await pause(500);
  }
});

after(async () => {
  await clinic?.close();
});

test('the hub answers a search as the box does', async () => {
  const { resource } = await box.get('Patient?_count=5');
  const [first] = resource.entry.map((entry) => entry.resource);
  const { system, value } = first.telecom?.find((it) => it.system === 'phone') ?? {};
  const searches = [
    'Patient?birthdate=ge1990&_count=40',
    `Patient?_id=${first.id}`,
    `Patient?name=${encodeURIComponent(first.name[0].text.split(' ').at(-1))}`,
    `Patient?gender=female&birthdate=ge1980&birthdate=lt2000`,
    ...(system ? [`Patient?phone=${encodeURIComponent(value)}`] : []),
    'Practitioner?name=d',
    'Schedule?active=true',
    `Appointment?patient=${first.id}`,
    `Appointment?patient.name=${encodeURIComponent(first.name[0].text)}`,
  ];
  for (const search of searches) assert.deepEqual(await ids(hub, search), await ids(box, search), search);
});

test('the hub says what it can do, reads a record as the box does, and refuses in FHIR', async () => {
  assertStatus(await hub.get('metadata'), 200);
  const [id] = await ids(box, 'Patient?_count=1000&_elements=id');
  const [there, here] = [await hub.get(`Patient/${id}`), await box.get(`Patient/${id}`)];
  assert.deepEqual(there.resource, here.resource);
  assertStatus(await hub.get(`Patient/${id}?_summary=true`), 200);
  assertStatus(await hub.get('Patient/nobody'), 404);
  assertStatus(await hub.get('Patient?birthdate=soon'), 400);
  assertStatus(await hub.put(`Patient/${id}`, here.resource), 405);
  const stranger = openDoor({ base: hub.base, token: 'cph_stranger' });
  assertStatus(await stranger.get(`Patient/${id}`), 401);
});

test('the hub asks the box for times, and hands on what it answers', async () => {
  const { resource } = assertStatus(await hub.get('Appointment/$find?_count=3'), 200);
  const asked = assertStatus(await box.get('Appointment/$find?_count=3'), 200);
  assert.equal(resource.entry?.length, asked.resource.entry?.length);
});
