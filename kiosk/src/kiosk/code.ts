// Tells what a scanned code is: one of our bookings, a health card that can fill in the form, or something else.
// Invariant: a card only fills in what a person then sees and confirms; nothing in it is believed.

import { isVisitCode } from '../lib/visit-code';

const CODE_LENGTH_MAX = 8_192;
const INFLATED_MAX = 64 * 1024;

export type Code =
  | { kind: 'booking'; qr: string }
  /** Digits, or empty where the card does not say. */
  | { kind: 'card'; phone: string; birthYear: string }
  | { kind: 'unknown' };

export async function codeOf(text: string): Promise<Code> {
  const code = text.trim();
  if (code.length > CODE_LENGTH_MAX) return { kind: 'unknown' };
  if (isVisitCode(code)) return { kind: 'booking', qr: code };
  try {
    if (code.startsWith('{')) return abhaCard(JSON.parse(code));
    if (/^shc:\/\d+$/.test(code)) return smartHealthCard(JSON.parse(await payloadOf(code)));
  } catch {
    // Not what it looked like: the person is asked for the phone number instead.
  }
  return { kind: 'unknown' };
}

/** The QR of an ABHA card or of the ABHA app: unsigned JSON; any key may be missing or hold a dash. */
function abhaCard(card: unknown): Code {
  if (typeof card !== 'object' || card === null || !('hidn' in card)) return { kind: 'unknown' };
  const fields = card as Record<string, unknown>;
  return filled(fields['mobile'], fields['dob']);
}

/** The content of a SMART Health Card: a FHIR bundle with the patient somewhere in it. */
function smartHealthCard(content: unknown): Code {
  const card = content as {
    vc?: { credentialSubject?: { fhirBundle?: { entry?: { resource?: Record<string, unknown> }[] } } };
  };
  const entries = card.vc?.credentialSubject?.fhirBundle?.entry ?? [];
  const patient = entries.map((entry) => entry.resource).find((one) => one?.['resourceType'] === 'Patient');
  if (!patient) return { kind: 'unknown' };
  const telecom = Array.isArray(patient['telecom']) ? patient['telecom'] : [];
  const phone = telecom.find((one: { system?: unknown }) => one?.system === 'phone') as { value?: unknown } | undefined;
  return filled(phone?.value, patient['birthDate']);
}

function filled(phone: unknown, birth: unknown): Code {
  const digits = String(phone ?? '').replace(/\D/g, '');
  // `2/5/1984`, `2-5-1984`, `1984-05-02` and `1984` all have their year as the only four digits in a row.
  const year = /(?<!\d)(?:19|20)\d\d(?!\d)/.exec(String(birth ?? ''))?.[0] ?? '';
  const national = digits.length === 12 && digits.startsWith('91') ? digits.slice(2) : digits;
  const known = national.length >= 7 && national.length <= 15 ? national : '';
  return { kind: 'card', phone: known, birthYear: year };
}

/** Each pair of digits is a character, 45 less; the characters are a JWS whose payload is deflated JSON. */
async function payloadOf(code: string): Promise<string> {
  const pairs = code.slice('shc:/'.length).match(/\d\d/g) ?? [];
  const payload = String.fromCharCode(...pairs.map((pair) => Number(pair) + 45)).split('.')[1] ?? '';
  const base64 = payload.replaceAll('-', '+').replaceAll('_', '/');
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const reader = inflated.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += part.value;
    if (text.length > INFLATED_MAX) throw new RangeError('the card is larger than any card');
  }
  return text;
}
