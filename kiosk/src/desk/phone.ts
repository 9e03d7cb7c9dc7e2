// A telephone number as the clinic's people read it out.

import type { Message } from '../lib/shapes';

/** The digits after the country's code, in the groups of that country; another country's number stays whole. */
const COUNTRIES: Record<string, { code: string; groups: number[] }> = {
  IN: { code: '+91', groups: [5, 5] },
  US: { code: '+1', groups: [3, 3, 4] },
  GB: { code: '+44', groups: [4, 6] },
};

export function showPhone(e164: string | null, country: string | undefined): string {
  if (e164 === null) return '';
  const home = COUNTRIES[country ?? ''];
  if (!home || !e164.startsWith(home.code)) return e164;
  let rest = e164.slice(home.code.length);
  const parts: string[] = [];
  for (const length of home.groups) {
    parts.push(rest.slice(0, length));
    rest = rest.slice(length);
  }
  return [...parts, rest].filter((part) => part !== '').join(' ');
}

/** Where a message comes from or goes to: a number as it is read out, anything else as it is. */
export function showAddress({ family, address }: Message['address'], country: string | undefined): string {
  return family === 'phone' ? showPhone(address, country) : address;
}
