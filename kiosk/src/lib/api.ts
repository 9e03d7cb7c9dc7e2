// Asks the box over its JSON API and answers in our shapes; whatever goes wrong arrives as a `Problem`.
// Paths, parameters and bodies are those of the box's document, see paths.ts.
// Invariant: a call either answers, or throws a `Problem`; it never waits longer than ANSWER_WITHIN_MS.
import type { Call } from './paths';

const BASE = '/api/v1/prm/';
const ANSWER_WITHIN_MS = 10_000;

/** A call as it is made, once the type checker has seen that the document has it. */
interface Made {
  path?: Record<string, string>;
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
  ifMatch?: number;
  signal?: AbortSignal;
}

/** What the box refused (RFC 9457), or `unreachable` with status 0 when no answer came. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  /** The whole problem document: `alternatives`, `candidates`, `people`, `field` and the like are in it. */
  readonly body: Record<string, unknown>;
  /** Seconds to wait before another try, where the box said so. */
  readonly retryAfter: number | null;

  constructor(code: string, status: number, body: Record<string, unknown>, retryAfter: number | null) {
    super(typeof body['detail'] === 'string' ? body['detail'] : code);
    this.name = 'Problem';
    this.code = code;
    this.status = status;
    this.body = body;
    this.retryAfter = retryAfter;
  }
}

export const get: Call<'get'> = (path, ...[given]) => ask('GET', path, given);

/** A verb on something that exists. Never repeated by itself: calling twice is two calls. */
export const post: Call<'post'> = (path, ...[given]) => ask('POST', path, given);

/** Makes something new, or calls the next. Repeated once when the line broke, under the same key, so that it happens once. */
export const create: Call<'post'> = async (path, ...[given]) => {
  const key = freshKey();
  try {
    return await ask('POST', path, given, key);
  } catch (problem) {
    if (problem instanceof Problem && problem.status === 0 && !given?.signal?.aborted) {
      return await ask('POST', path, given, key);
    }
    throw problem;
  }
};

export const patch: Call<'patch'> = (path, ...[given]) => ask('PATCH', path, given);

export const remove: Call<'delete'> = (path, ...[given]) => ask('DELETE', path, given);

/** Where the box has a picture or sound. */
export const mediaAddress = (id: string): string => `${BASE}media/${id}`;

/** How the line to the cloud is, in a demonstration; other boxes have no such path, so the document has none either. */
export const demoLine = (): Promise<{ up: boolean }> => ask('GET', 'demo/line');

/** Cuts or heals it. */
export const turnDemoLine = (up: boolean): Promise<{ up: boolean }> => ask('POST', 'demo/line', { body: { up } });

/** Somebody whom one may be in a demonstration. */
export interface Person {
  name: string;
  phone: string;
  birth_date: string;
}

/** What may be touched on a telephone; a row of a list has a description. */
export interface Offered {
  id: string;
  title: string;
  description: string | null;
}

/** A picture, a sound or a document that the provider of the demonstration keeps. */
export interface Shown {
  id: string;
  media_type: string;
}

export interface PhoneMessage {
  number: number;
  id: string;
  is_from_clinic: boolean;
  text: string;
  choices: Offered[];
  media: Shown | null;
  at_ms: number;
}

export const demoPeople = (): Promise<Person[]> => ask('GET', 'demo/people');

/** The messages after a number; waits some seconds for one. */
export const demoPhone = (phone: string, after: number): Promise<{ messages: PhoneMessage[] }> =>
  ask('GET', 'demo/phone', { query: { phone, after } });

export const sayOnDemoPhone = (body: {
  phone: string;
  name: string;
  said: SaidOnDemoPhone;
}): Promise<void> => ask('POST', 'demo/phone', { body });

export type SaidOnDemoPhone =
  | { text: string }
  | { choice: Offered }
  | { media: { id: string; caption: string | null } };

/** Hands a file to the provider of the demonstration, for a message that is to be said. */
export async function putOnDemoPhone(file: Blob): Promise<Shown> {
  const response = await fetch(addressOf('demo/phone/media', {}), {
    method: 'POST',
    headers: { 'X-Carepost-CSRF': '1', 'Content-Type': 'application/octet-stream' },
    body: file,
    credentials: 'same-origin',
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  if (!response.ok) throw new Problem('not_taken', response.status, {}, null);
  return (await response.json()) as Shown;
}

/** Where what a message on a telephone shows or plays is fetched. */
export const demoPicture = (id: string): string => addressOf('demo/phone/media/{id}', { path: { id } });

async function ask<T>(method: string, path: string, given: Made = {}, key?: string): Promise<T> {
  // A POST always has a body, if only an empty one.
  const body = given.body ?? (method === 'POST' ? {} : undefined);
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-Carepost-CSRF'] = '1';
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (key !== undefined) headers['Idempotency-Key'] = key;
  if (given.ifMatch !== undefined) headers['If-Match'] = `"${given.ifMatch}"`;

  const patience = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const init: RequestInit = {
    method,
    headers,
    credentials: 'same-origin',
    cache: 'no-store',
    signal: given.signal ? AbortSignal.any([given.signal, patience]) : patience,
  };
  if (body !== undefined) init.body = JSON.stringify(body);

  let response: Response;
  let text: string;
  try {
    response = await fetch(addressOf(path, given), init);
    text = await response.text();
  } catch (cause) {
    throw new Problem('unreachable', 0, { detail: String(cause) }, null);
  }
  const answer = parsed(text);
  if (response.ok) return answer as T;
  const problem = typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {};
  const code = typeof problem['code'] === 'string' ? problem['code'] : 'unexpected';
  throw new Problem(code, response.status, problem, seconds(response.headers.get('Retry-After')));
}

/** The address of a path of the document: its places filled in, and the query without what is null. */
export function addressOf(path: string, { path: places = {}, query = {} }: Pick<Made, 'path' | 'query'>): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, place: string) => encodeURIComponent(places[place] ?? ''));
  const pairs = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  const asked = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]));
  return BASE + filled + (pairs.length === 0 ? '' : `?${asked}`);
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function seconds(header: string | null): number | null {
  const value = Number(header);
  return header !== null && Number.isFinite(value) ? value : null;
}

/** `crypto.randomUUID` is missing where the page did not come over HTTPS or from this machine. */
function freshKey(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
