// The codes of HL7's value sets, as far as they can be told without a network.

import fs from 'node:fs';
import path from 'node:path';

import { PACKAGE } from './examples.mjs';

/** Code systems whose codes other bodies keep; the codes that R4 knows of have this form. */
const FORMS = new Map([
  // FHIR has short names for its own.
  ['urn:ietf:bcp:13', /^(json|xml|ttl|none|[\w!#$&^.+-]+\/[\w!#$&^.+-]+(\s*;.*)?)$/],
  ['urn:ietf:bcp:47', /^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$/],
  ['urn:iso:std:iso:4217', /^[A-Z]{3}$/],
  ['http://unitsofmeasure.org', /^[\x21-\x7e]+$/],
]);

const known = new Map();

/** The value set or code system of this address, if HL7 ships it. */
function shipped(kind, url) {
  const plain = url.replace(/\|.*$/, '');
  const key = `${kind} ${plain}`;
  if (!known.has(key)) known.set(key, read(kind, plain));
  return known.get(key);
}

function read(kind, url) {
  const file = path.join(PACKAGE, `${kind}-${url.replace(/^.*[/:]/, '')}.json`);
  if (!fs.existsSync(file)) return undefined;
  const resource = JSON.parse(fs.readFileSync(file, 'utf8'));
  return resource.url === url ? resource : undefined;
}

function find(concepts = [], code) {
  for (const concept of concepts) {
    const found = concept.code === code ? concept : find(concept.concept, code);
    if (found) return found;
  }
  return undefined;
}

/** Whether a code system has a code: true, false, or undefined where that cannot be told. */
function hasCode(system, code) {
  if (FORMS.has(system)) return FORMS.get(system).test(code);
  const shippedSystem = shipped('CodeSystem', system);
  return shippedSystem?.content === 'complete' ? Boolean(find(shippedSystem.concept, code)) : undefined;
}

/** Whether one part of a value set has a code. A filter is only asked for `is-a`. */
function within(part, system, code) {
  const sets = (part.valueSet ?? []).map((url) => contains(url, system, code));
  if (sets.includes(false)) return false;
  if (!part.system) return sets.includes(undefined) ? undefined : true;
  if (system !== undefined && system !== part.system) return false;
  if (part.concept) return part.concept.some((it) => it.code === code);
  if (part.filter) return undefined;
  return sets.includes(undefined) ? undefined : hasCode(part.system, code);
}

/** True if any is, false if all are not, undefined else. */
function some(answers) {
  if (answers.includes(true)) return true;
  return answers.includes(undefined) ? undefined : false;
}

/**
 * Whether a value set contains a code, of any of its systems where `system` is undefined: true, false,
 * or undefined where that cannot be told offline.
 */
export function contains(url, system, code) {
  const compose = shipped('ValueSet', url)?.compose;
  if (!compose) return undefined;
  const is = some((compose.include ?? []).map((part) => within(part, system, code)));
  const isNot = some((compose.exclude ?? []).map((part) => within(part, system, code)));
  if (isNot === true || is === false) return false;
  return isNot === undefined ? undefined : is;
}
