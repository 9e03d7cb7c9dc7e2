// HL7's examples of R4, as its package ships them (CC0).

import fs from 'node:fs';
import path from 'node:path';

import * as exact from './exact.mjs';

/** The package of examples, which holds the definitions of R4, too. */
export const PACKAGE = path.join(import.meta.dirname, 'node_modules', 'hl7.fhir.r4.examples');

/** The types that define FHIR itself; their examples are the thousands of definitions of R4. */
const DEFINITIONS = new Set(
  ('CapabilityStatement CodeSystem CompartmentDefinition ConceptMap ImplementationGuide NamingSystem '
    + 'OperationDefinition SearchParameter StructureDefinition StructureMap ValueSet').split(' '),
);
/** Of each type that defines FHIR so many examples are taken, unless all are wanted. */
const SAMPLE = 6;

/** Of the larger ones, in bytes, one is taken unless all are wanted: they are bundles of definitions. */
const LARGE = 1024 * 1024;
const LARGE_SAMPLE = 'Bundle-types.json';

/** The names of the example files: all that are about people and their care, and a sample of the rest. */
export function names({ all = process.env.FHIR_EXAMPLES === 'all' } = {}) {
  const files = fs.readdirSync(PACKAGE).filter((name) => /^[A-Z]\w+-.*\.json$/.test(name)).sort();
  if (all) return files;
  const isTaken = (file) => file === LARGE_SAMPLE || fs.statSync(path.join(PACKAGE, file)).size <= LARGE;
  const byType = new Map();
  for (const file of files.filter(isTaken)) byType.set(typeOf(file), [...(byType.get(typeOf(file)) ?? []), file]);
  return [...byType].flatMap(([type, of]) => (DEFINITIONS.has(type) ? spread(of) : of));
}

/** Whether an example is about people and their care, and does not define FHIR. */
export const isAboutCare = (name) => !DEFINITIONS.has(typeOf(name));

const typeOf = (name) => name.replace(/-.*$/, '');

/** So many of them, at even distances: the same ones each time. */
function spread(files) {
  const step = Math.max(1, Math.floor(files.length / SAMPLE));
  return files.filter((_, index) => index % step === 0).slice(0, SAMPLE);
}

/** The text of an example. */
export function text(name) {
  return fs.readFileSync(path.join(PACKAGE, name), 'utf8');
}

/** An example; its numbers keep their digits. */
export function read(name) {
  return exact.parse(text(name));
}
