import { deflateRawSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { codeOf } from './code';

/** A SMART Health Card as the specification makes it; the signature is of no concern here. */
function healthCard(payload: unknown): string {
  const part = (bytes: Buffer) => bytes.toString('base64url');
  const header = Buffer.from(JSON.stringify({ zip: 'DEF', alg: 'ES256', kid: 'k' }));
  const jws = [part(header), part(deflateRawSync(JSON.stringify(payload))), part(Buffer.alloc(64))].join('.');
  return `shc:/${[...jws].map((letter) => String(letter.charCodeAt(0) - 45).padStart(2, '0')).join('')}`;
}

const patient = {
  resourceType: 'Patient',
  name: [{ family: 'Anyperson', given: ['John'] }],
  birthDate: '1951-01-20',
  telecom: [{ system: 'email', value: 'j@example.org' }, { system: 'phone', value: '+91 98441 11173' }],
};
const cardOf = (resources: unknown[]) =>
  healthCard({ iss: 'https://x', nbf: 1715107763.677, vc: { credentialSubject: { fhirBundle: { entry: resources.map((resource) => ({ resource })) } } } });

it.each([
  ['CP1:6BF+70', { kind: 'booking', qr: 'CP1:6BF+70' }],
  ['  CP1:6BF+70\r\n', { kind: 'booking', qr: 'CP1:6BF+70' }],
  // A scanner whose keyboard has Caps Lock the other way round.
  ['cp1:6bf+70', { kind: 'booking', qr: 'cp1:6bf+70' }],
])('takes %j for one of our bookings', async (text, code) => {
  expect(await codeOf(text)).toEqual(code);
});

it.each([
  ['the printed ABHA card', '{"hidn":"15-3638-0684-6247","hid":"k@abdm","name":"K","gender":"M","dob":"2/5/1984","mobile":"9844111173"}', '9844111173', '1984'],
  ['the ABHA app', '{"hidn":"15-3638-0684-6247","phr":"k@sbx","name":"K","gender":"M","dob":"12-11-1984"}', '', '1984'],
  ['an ABHA card with dashes for what is missing', '{"hidn":"15-3638-0684-6247","mobile":"-","dob":"-"}', '', ''],
])('reads %s', async (_, text, phone, birthYear) => {
  expect(await codeOf(text)).toEqual({ kind: 'card', phone, birthYear });
});

it('reads the patient of a SMART Health Card', async () => {
  const card = cardOf([{ resourceType: 'Immunization' }, patient]);
  expect(await codeOf(card)).toEqual({ kind: 'card', phone: '9844111173', birthYear: '1951' });
});

it.each([
  ['a web address', 'https://example.org/q'],
  ['nothing', ''],
  ['JSON of somebody else', '{"upi":"x"}'],
  ['JSON that is none', '{"hidn":'],
  ['a list', '["hidn"]'],
  ['a health card that is cut off', cardOf([patient]).slice(0, -200)],
  ['a health card without a patient', cardOf([{ resourceType: 'Immunization' }])],
  ['a health card that grows beyond bounds', cardOf([{ ...patient, note: 'x'.repeat(4_000_000) }])],
  ['a code longer than a code can be', `CP1:${'A'.repeat(10_000)}`],
])('says softly that %s is not ours', async (_, text) => {
  expect(await codeOf(text)).toEqual({ kind: 'unknown' });
});
