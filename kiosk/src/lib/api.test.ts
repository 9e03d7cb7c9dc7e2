import { afterEach, describe, expect, it, vi } from 'vitest';
import { addressOf, create, get, patch, post, Problem } from './api';
import type { Patient } from './shapes';

afterEach(() => vi.unstubAllGlobals());

/** Answers with each of these in turn, and keeps what was asked; a null is a line that broke. */
function box(...answers: (Response | null)[]) {
  const asked: { address: string; init: RequestInit }[] = [];
  vi.stubGlobal('fetch', (address: string, init: RequestInit) => {
    asked.push({ address, init });
    const answer = answers[asked.length - 1];
    return answer ? Promise.resolve(answer) : Promise.reject(new TypeError('Failed to fetch'));
  });
  return asked;
}

describe('an address', () => {
  it('has its places filled in, and nothing in them leaves its place', () => {
    expect(addressOf('patients/{id}/family', { path: { id: 'a b/../c' } })).toBe('/api/v1/prm/patients/a%20b%2F..%2Fc/family');
  });

  it('asks nothing for what is null', () => {
    expect(addressOf('slots', { query: { from: '2026-11-23', service: null, all: true } })).toBe(
      '/api/v1/prm/slots?from=2026-11-23&all=true',
    );
    expect(addressOf('clinic', {})).toBe('/api/v1/prm/clinic');
  });
});

describe('a call', () => {
  it('that makes something is repeated once under the same key when the line broke', async () => {
    const asked = box(null, Response.json({ id: '1' }, { status: 201 }));
    await create('locations', { body: { name: 'Room 1', kind: 'room' } });
    const keys = asked.map(({ init }) => new Headers(init.headers).get('Idempotency-Key'));
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
  });

  it('that changes something says the version it saw', async () => {
    const asked = box(Response.json({ code: 'stale' }, { status: 412 }));
    const change = patch('locations/{id}', { path: { id: 'x' }, body: { name: 'Room 2' }, ifMatch: 3 });
    await expect(change).rejects.toMatchObject({ code: 'stale', status: 412 } satisfies Partial<Problem>);
    expect(new Headers(asked[0]?.init.headers).get('If-Match')).toBe('"3"');
  });
});

// Never called: what is wrong here is an error of the type checker, and what is not is one of this file.
export async function whatTheDocumentDoesNotHave() {
  // @ts-expect-error no such path
  await get('patient/{id}', { path: { id: 'x' } });
  // @ts-expect-error the path has a place that is not filled
  await get('patients/{id}');
  // @ts-expect-error no such method
  await patch('audit', { body: {}, ifMatch: 1 });
  // @ts-expect-error no such parameter
  await get('slots', { query: { doctor: 'x' } });
  // @ts-expect-error no such member
  await post('locations', { body: { name: 'Room 1', kind: 'room', size: 3 } });
  const whole = { name: 'Room 1', kind: 'room' as const, version: 3 };
  // @ts-expect-error a member too many, wherever the body was made
  await post('locations', { body: whole });
  // @ts-expect-error a member is missing
  await post('locations', { body: { name: 'Room 1' } });
  // @ts-expect-error a change is meant for a version
  await patch('locations/{id}', { path: { id: 'x' }, body: { name: 'Room 1' } });
  // @ts-expect-error a practitioner is no patient
  const patient: Patient = await get('practitioners/{id}', { path: { id: 'x' } });
  return patient;
}
