// What relatives are called. The box keeps the English word; one that is not here is shown as it was written.
import type { Patient, Relative } from '../lib/shapes';
import { say, type Key } from './words.svelte';

export const RELATIONSHIPS: Record<string, Key> = {
  mother: 'kin.mother',
  father: 'kin.father',
  wife: 'kin.wife',
  husband: 'kin.husband',
  daughter: 'kin.daughter',
  son: 'kin.son',
  sister: 'kin.sister',
  brother: 'kin.brother',
  grandmother: 'kin.grandmother',
  grandfather: 'kin.grandfather',
  grandchild: 'kin.grandchild',
  guardian: 'kin.guardian',
};

/** What somebody is to a patient. Where it was not said, they share a number, or it was said of the other. */
export function relationshipWord(relative: Relative, patient: Patient): string {
  if (relative.relationship !== null) return kinWord(relative.relationship);
  return say(isRelated(relative, patient) ? 'card.relative' : 'card.same_phone');
}

/** Whether somebody said that they are family; they may only share a number. */
export function isRelated(relative: Relative, patient: Patient): boolean {
  const numbers = new Set(patient.phones.map(({ number }) => number));
  return relative.relationship !== null || !relative.phones.some(({ number }) => numbers.has(number));
}

function kinWord(relationship: string): string {
  const key = RELATIONSHIPS[relationship];
  return key ? say(key) : relationship;
}
