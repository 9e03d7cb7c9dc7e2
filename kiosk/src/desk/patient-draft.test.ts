import { expect, it } from 'vitest';
import type { Patient } from '../lib/shapes';
import { changeOf, draftOf, rebased } from './patient-draft';

const asha: Patient = {
  id: '1',
  version: 3,
  number: 1001,
  name: 'Asha Rao',
  names: ['आशा राव'],
  phone: '+919844111173',
  phones: [
    { number: '+919844111173', use: 'mobile' },
    { number: '+918026601234', use: 'home' },
    { number: '+918026605678', use: 'work' },
  ],
  birth_date: '1984-05-02',
  sex: 'female',
  language: 'hi',
  address: {
    line: '12 Temple Road',
    city: null,
    district: null,
    state: 'Karnataka',
    postal_code: null,
    country: null,
  },
  email: null,
  identifiers: [],
  preferences: { channels: ['sms'], reminders: true },
  active: true,
  merged_into: null,
};

it('asks for no change when nothing was touched', () => {
  expect(changeOf(asha, draftOf(asha))).toEqual({});
});

it('names only what was touched, and empties with null', () => {
  expect(changeOf(asha, { ...draftOf(asha), email: ' a@b.example ', language: '' })).toEqual({
    email: 'a@b.example',
    language: null,
  });
});

it('keeps what the form does not show: the third number, the state, the channels', () => {
  const change = changeOf(asha, { ...draftOf(asha), phone: '98450 00000', city: 'Bengaluru', reminders: false });
  expect(change.phones).toEqual([{ number: '98450 00000', use: 'mobile' }, ...asha.phones.slice(1)]);
  expect(change.address).toMatchObject({ line: '12 Temple Road', city: 'Bengaluru', state: 'Karnataka' });
  expect(change.preferences).toEqual({ channels: ['sms'], reminders: false });
});

it('does not undo what another desk saved in fields that nobody touched here', () => {
  const draft = { ...draftOf(asha), email: 'mine@x.example' };
  const theirs = { ...asha, version: 4, name: 'Asha R. Rao', email: 'theirs@x.example' };
  const after = rebased(asha, theirs, draft);
  expect(after.name).toBe('Asha R. Rao');
  expect(changeOf(theirs, after)).toEqual({ email: 'mine@x.example' });
});
