// Asks HL7's own expression of each invariant (by NLM's FHIRPath) the cases that the Rust rules are
// tested with, and says where the two do not agree.

import fs from 'node:fs';
import path from 'node:path';
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4/index.js';

import { definitions, structures } from './definitions.mjs';

const CASES = '../../appliance/fhir/src/invariant/cases.txt';

/** Rules that are not asked, and why. */
const NOT_ASKED = {
  'Appointment app-4': 'the expression names a status that does not exist',
  'Bundle.entry.request url': 'said in words only',
  'Bundle.entry.request ifNoneExist': 'said in words only',
  'CareTeam.participant ctm-1': 'the expression follows the reference',
  'DomainResource dom-3': 'the engine does not know the types of what is contained',
  'Questionnaire.item.enableWhen que-7': 'the engine tells boolean from Boolean',
  'Range rng-2': 'the engine does not compare quantities without a unit',
  'Timing.repeat tim-9': 'the engine does not take a union for the list of `in` there',
};

/** Constraints that have no rule in `invariant`; its documentation says why. */
const ABSENT = /^(StructureDefinition|ElementDefinition|ImplementationGuide|Test\w+)\b| (ele-1|txt-\d|ppc-[2-5])$/;

const constraints = new Map();
const profiles = definitions('StructureDefinition').filter((it) => it.name === 'SimpleQuantity');
for (const structure of [...structures(), ...profiles]) {
  for (const element of structure.snapshot.element) {
    const at = element.path.replace(/^\w+/, structure.name);
    for (const { key, severity, expression } of element.constraint ?? []) {
      if (severity === 'error') constraints.set(`${at} ${key}`, expression);
    }
  }
}
// What is a rule of a part there is one of the whole here, and the other way round.
const elsewhere = {
  'DomainResource dom': (key) => constraints.get(`Patient ${key}`),
  'Organization org-2': () => 'address.all(use.exists() implies use != \'home\')',
  'Organization org-3': () => 'telecom.all(use.exists() implies use != \'home\')',
  'RiskAssessment.prediction ras-1': () =>
    `probability.all($this is Range implies (${constraints.get('RiskAssessment.prediction.probability[x] ras-1')}))`,
};

function expression(at, key) {
  const found = Object.keys(elsewhere).find((start) => `${at} ${key}`.startsWith(start));
  return found ? elsewhere[found](key) : constraints.get(`${at} ${key}`);
}

const shown = new Set();
let [at, key, root] = [];
let asked = 0;
const text = fs.readFileSync(path.join(import.meta.dirname, CASES), 'utf8');
for (const line of text.split('\n').filter((it) => it && !it.startsWith('#'))) {
  const space = line.indexOf(' ');
  const [first, rest] = [line.slice(0, space), line.slice(space + 1)];
  if (first === '@') {
    root = JSON.parse(rest);
  } else if (first !== '+' && first !== '-') {
    [at, key, root] = [first, rest, undefined];
    shown.add(key);
  } else if (!(`${at} ${key}` in NOT_ASKED)) {
    ask(first === '+', JSON.parse(rest), line);
  }
}

function ask(expected, element, line) {
  const said = expression(at, key);
  if (!said) throw new Error(`HL7 has no ${at} ${key}`);
  const whole = root ?? element;
  const base = at.replace(/^SimpleQuantity/, 'Quantity');
  const environment = { resource: whole, rootResource: whole };
  const asks = element.resourceType ? said : { base, expression: said };
  const [answer] = fhirpath.evaluate(element, asks, environment, r4, { traceFn: () => {} });
  asked += 1;
  // No answer is neither yes nor no: a part that is missing was compared.
  if (answer !== undefined && answer !== expected) {
    console.error(`${at} ${key}: HL7's expression says ${answer} of ${line}`);
    process.exitCode = 1;
  }
}
for (const constraint of constraints.keys()) {
  if (shown.has(constraint.split(' ')[1]) || ABSENT.test(constraint)) continue;
  console.error(`${constraint} has no rule and is not named as absent`);
  process.exitCode = 1;
}
console.log(`${asked} cases asked of HL7's own expressions`);
