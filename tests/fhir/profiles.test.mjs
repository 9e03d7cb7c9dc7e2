// What the clinic's own records say as FHIR satisfies the profiles of India and of the United States,
// and what was sent by them still does when it comes back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openClinic } from './clinic.mjs';
import { assertStatus, openDoor } from './door.mjs';
import { nrcesErrors } from './nrces.mjs';
import { US_CORE_PATIENT, usCoreErrors } from './uscore.mjs';

let clinic;
let door;

before(async () => {
  clinic = await openClinic();
  door = openDoor(clinic);
});

after(async () => {
  await clinic?.close();
});

/** So many resources of a search, page by page. */
async function some(search, most) {
  const found = [];
  for (let page = search; page && found.length < most;) {
    const { resource } = assertStatus(await door.get(page), 200);
    found.push(...(resource.entry ?? []).map((entry) => entry.resource));
    page = resource.link.find(({ relation }) => relation === 'next')?.url;
  }
  return found;
}

const lines = (resources, errorsOf) =>
  resources.flatMap((resource) => errorsOf(resource).map((error) => `${resource.resourceType}/${resource.id}: ${error}`));

test('patients of the clinic satisfy NRCeS and US Core', async () => {
  const patients = await some('Patient?_count=100', 200);
  assert.ok(patients.length >= 200);
  assert.deepEqual(lines(patients, nrcesErrors), []);
  assert.deepEqual(lines(patients, usCoreErrors), []);
});

test('appointments of the clinic satisfy NRCeS', async () => {
  // Late in the evening nobody waits in the clinic any more.
  const statuses = ['checked-in', 'booked', 'fulfilled', 'cancelled', 'noshow'];
  const appointments = await Promise.all(statuses.map((status) => some(`Appointment?status=${status}&_count=50`, 50)));
  assert.ok(appointments.slice(1).every(({ length }) => length > 0));
  assert.deepEqual(lines(appointments.flat(), nrcesErrors), []);
});

const snomed = (code, display) => ({ coding: [{ system: 'http://snomed.info/sct', code, display }], text: display });

test('a patient and an appointment of ABDM come back as NRCeS wants them', async () => {
  const abha = {
    coding: [{ system: 'https://nrces.in/ndhm/fhir/r4/CodeSystem/ndhm-identifier-type-code', code: 'ABHA', display: 'ABHA number' }],
  };
  const sent = {
    resourceType: 'Patient',
    meta: { profile: ['https://nrces.in/ndhm/fhir/r4/StructureDefinition/Patient'] },
    identifier: [{ type: abha, system: 'https://healthid.ndhm.gov.in', value: '91-7225-4829-5255' }],
    name: [{ text: 'ABC Kumar' }],
    telecom: [{ system: 'phone', value: '+919818512600', use: 'home' }],
    gender: 'male',
    birthDate: '1981-01-12',
  };
  assert.deepEqual(nrcesErrors(sent), []);
  assert.notDeepEqual(nrcesErrors({ ...sent, identifier: [{ value: '1' }] }), [], 'what is missing is found');
  const { resource: patient } = assertStatus(await door.post('Patient', sent), 201);
  assert.deepEqual(nrcesErrors(patient), []);
  assert.deepEqual(patient.meta.profile, sent.meta.profile);
  assert.equal(patient.identifier.length, 2, 'the number of ABDM and the clinic\'s own');

  const { resource: visit } = assertStatus(
    await door.post('Appointment', {
      resourceType: 'Appointment',
      meta: { profile: ['https://nrces.in/ndhm/fhir/r4/StructureDefinition/Appointment'] },
      status: 'waitlist',
      serviceCategory: [snomed('408443003', 'General medical practice')],
      serviceType: [snomed('11429006', 'Consultation')],
      appointmentType: snomed('185389009', 'Follow-up visit'),
      reasonCode: [snomed('38341003', 'Hypertensive disorder')],
      start: '2026-12-01T10:00:00+05:30',
      end: '2026-12-01T10:15:00+05:30',
      participant: [{ actor: { reference: `Patient/${patient.id}` }, status: 'accepted' }],
    }),
    201,
  );
  assert.deepEqual(nrcesErrors(visit), []);
});

test('a patient of US Core comes back as it was', async () => {
  const extension = (name, inner) => ({ url: `http://hl7.org/fhir/us/core/StructureDefinition/us-core-${name}`, ...inner });
  const category = (code, display) => ({ url: 'ombCategory', valueCoding: { system: 'urn:oid:2.16.840.1.113883.6.238', code, display } });
  const sent = {
    resourceType: 'Patient',
    meta: { profile: [US_CORE_PATIENT] },
    extension: [
      extension('race', { extension: [category('2106-3', 'White'), { url: 'text', valueString: 'White' }] }),
      extension('ethnicity', { extension: [category('2135-2', 'Hispanic or Latino'), { url: 'text', valueString: 'Hispanic' }] }),
      extension('birthsex', { valueCode: 'F' }),
    ],
    identifier: [{ system: 'http://hospital.smarthealthit.org', value: '1032702' }],
    name: [{ family: 'Shaw', given: ['Amy', 'V.'], period: { start: '2016-12-06' } }],
    telecom: [{ system: 'phone', value: '555-555-5555', use: 'home' }],
    gender: 'female',
    birthDate: '1987-02-20',
    address: [{ line: ['49 Meadow St'], city: 'Mounds', state: 'OK', postalCode: '74047', country: 'US' }],
  };
  assert.deepEqual(usCoreErrors(sent), []);
  const { resource: patient } = assertStatus(await door.post('Patient', sent), 201);
  assert.deepEqual(usCoreErrors(patient), []);
  assert.deepEqual(patient.extension, sent.extension);
  // The check finds what is missing.
  assert.notDeepEqual(usCoreErrors({ ...patient, identifier: undefined }), []);
  assert.notDeepEqual(usCoreErrors({ ...patient, name: [{ text: 'Amy' }] }), []);
});
