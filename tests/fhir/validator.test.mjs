// The check itself finds what is wrong, and nothing in HL7's examples but their own faults.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as examples from './examples.mjs';
import { errorsOf } from './validator.mjs';

/** Examples of R4 with a fault that the check finds. */
const FAULTY = {
  'DeviceMetric-example.json': 'DeviceMetric.parent: a reference to DeviceDefinition',
  'DeviceUseStatement-example.json': 'DeviceUseStatement.reasonReference[0]: a reference to Procedure',
  'MedicationRequest-medrx0301.json': 'MedicationRequest.dispenseRequest.performer: a reference to Practitioner',
  'Observation-clinical-gender.json': 'Observation.performer[0]: a reference to Encounter',
  'Questionnaire-qs1.json': 'Questionnaire.item[0].item[0].linkId: Missing required property',
};

test("HL7's examples are valid but for their own faults", () => {
  const found = {};
  for (const name of examples.names()) {
    const text = examples.text(name);
    if (text.length > 1024 * 1024) continue;
    const [error] = errorsOf(JSON.parse(text));
    if (error) found[name] = error;
  }
  assert.deepEqual(found, FAULTY);
});

const patient = (inner) => ({ resourceType: 'Patient', ...inner });

/** What is wrong, and where it must be found. */
const PLANTED = [
  [patient({ nonsense: 1 }), 'Patient.nonsense'],
  [patient({ meta: { account: { display: 'x' } } }), 'Patient.meta.account'],
  [patient({ name: { family: 'A' } }), 'Patient.name'],
  [patient({ name: [] }), 'Patient.name'],
  [patient({ name: [{}] }), 'Patient.name[0]'],
  [patient({ name: [{ given: ['A', null], _given: [null, { extension: [{ url: 'u', valueString: 'x' }] }] }] }), undefined],
  [patient({ name: [{ family: 5 }] }), 'Patient.name[0].family'],
  [patient({ name: [{ family: '' }] }), 'Patient.name[0].family'],
  [patient({ name: [{ family: 'a\u0000' }] }), 'Patient.name[0].family'],
  [patient({ id: 'a b' }), 'Patient.id'],
  [patient({ birthDate: '2026-13' }), 'Patient.birthDate'],
  [patient({ gender: 'f' }), 'Patient.gender'],
  [patient({ active: 'true' }), 'Patient.active'],
  [patient({ deceasedBoolean: true, deceasedDateTime: '2026' }), 'Patient'],
  [patient({ link: [{ type: 'refer' }] }), 'Patient.link[0].other'],
  [patient({ contact: [{ gender: 'male' }] }), 'Patient.contact[0]'],
  [patient({ telecom: [{ value: '1' }] }), 'Patient.telecom[0]'],
  [patient({ maritalStatus: { resourceType: 'Basic', text: 'x' } }), 'Patient.maritalStatus.resourceType'],
  [patient({ generalPractitioner: [{ reference: 'Patient/1' }] }), 'Patient.generalPractitioner[0]'],
  [patient({ managingOrganization: { reference: '#x' } }), 'Patient.managingOrganization'],
  [patient({ extension: [{ url: 'u' }] }), 'Patient.extension[0]'],
  [patient({ _gender: { extension: [{ valueCode: 'x' }] } }), 'Patient.gender.extension[0].url'],
  [patient({ contained: [{ resourceType: 'Basic', id: 'b' }] }), 'Patient.contained[0].code'],
  [{ resourceType: 'Bundle', type: 'collection', entry: [{ resource: patient({ gender: 'f' }) }] }, 'Bundle.entry[0].resource.gender'],
  [{ resourceType: 'Bundle', type: 'searchset', entry: [{ resource: patient({}) }] }, 'Bundle.entry[0]'],
  [{ resourceType: 'Bundle', type: 'collection', total: 1 }, 'Bundle'],
  [{ resourceType: 'OperationOutcome' }, 'OperationOutcome.issue'],
  [{ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'wrong' }] }, 'OperationOutcome.issue[0].code'],
  [{ resourceType: 'Nonsense' }, 'Nonsense'],
];

test('what is wrong is found, at its place', () => {
  for (const [resource, place] of PLANTED) {
    const found = errorsOf(resource);
    const fits = place ? found.some((error) => error.startsWith(`${place}:`)) : found.length === 0;
    assert.ok(fits, `${JSON.stringify(resource)}: ${found.join('; ')}`);
  }
});
