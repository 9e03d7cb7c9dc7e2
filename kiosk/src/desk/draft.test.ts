import { expect, it } from 'vitest';
import { changed, differences, rebased } from './draft';

const before = { name: 'Scan', minutes: 15, rooms: ['a'], active: true };

it('a change has only what was touched, and a list only when it holds something else', () => {
  expect(changed(before, { ...before, rooms: ['a'] })).toEqual({});
  expect(changed(before, { ...before, minutes: 20, rooms: ['a', 'b'] })).toEqual({ minutes: 20, rooms: ['a', 'b'] });
  expect(differences(before, { ...before, active: false })).toEqual(['active']);
});

it('what was typed stays when another desk was faster, and what was not typed is theirs', () => {
  const theirs = { ...before, name: 'Ultrasound', minutes: 30 };
  expect(rebased(before, theirs, { ...before, minutes: 20 })).toEqual({ ...theirs, minutes: 20 });
});
