// Writes `summary/elements.txt`: the elements of each type of resource that R4 marks as summary.
// `--check` only compares.

import { commit, structures } from './definitions.mjs';

/** `participant( type actor )`: an element with elements of its own, where some are marked. */
function marked(all, path) {
  const depth = path.split('.').length;
  const own = all.filter((it) => it.path.startsWith(`${path}.`) && it.path.split('.').length === depth + 1);
  const words = [];
  for (const element of own) {
    const name = element.path.slice(path.length + 1);
    // What must be there stays, so that what is left is valid.
    const stays = element.isSummary || (depth > 1 && element.min > 0);
    if (!stays || name === 'modifierExtension') continue;
    const within = marked(all, element.path);
    words.push(within.length ? `${name}( ${within.join(' ')} )` : name);
  }
  return words;
}

const lines = [
  '# Made by tests/fhir/summary.mjs from HL7\'s definitions of FHIR R4 4.0.1 (CC0). Do not edit.',
  '# A type of resource, then its elements in a summary; `a( b )` is `a` with nothing but `b`',
];
for (const structure of structures().filter((it) => it.kind === 'resource' && !it.abstract)) {
  lines.push(`${structure.name} ${marked(structure.snapshot.element, structure.name).join(' ')}`);
}
commit('summary/elements.txt', lines);
