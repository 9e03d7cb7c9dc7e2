// What HL7's own search parameters find in a resource, by NLM's FHIRPath: the values as they are in it.

import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4/index.js';

import { definitions } from './definitions.mjs';

/** The expression of each parameter for one type of resource, by `Type.parameter`. */
const expressions = new Map();
for (const { base = [], code, expression = '', id } of definitions('SearchParameter')) {
  if (id.startsWith('example')) continue;
  for (const type of base) {
    const own = expression.split('|').map((it) => it.trim()).filter((it) => it.replace(/^\(/, '').startsWith(`${type}.`));
    const all = own.length ? own : expression.split('|').map((it) => it.trim()).filter((it) => it.startsWith('Resource.'));
    if (all.length) expressions.set(`${type}.${code}`, all);
  }
}

const compiled = new Map();

/** The expression as a function of a resource. */
function asked(expression) {
  if (!compiled.has(expression)) compiled.set(expression, fhirpath.compile(expression, r4, { traceFn: () => {} }));
  return compiled.get(expression);
}

const RESOLVES = /\.where\(resolve\(\) is (\w+)\)$/;

/** The values that a parameter finds in a resource; undefined if HL7 has no expression for it. */
export function valuesOf(resource, parameter) {
  const all = expressions.get(`${resource.resourceType}.${parameter}`) ?? expressions.get(`Resource.${parameter}`);
  return all?.flatMap((expression) => {
    const [, target] = RESOLVES.exec(expression) ?? [];
    const found = asked(expression.replace(RESOLVES, ''))(resource);
    // What a reference leads to is told by its address.
    return target ? found.filter(({ reference }) => new RegExp(`(^|/)${target}/`).test(reference ?? '')) : found;
  });
}
