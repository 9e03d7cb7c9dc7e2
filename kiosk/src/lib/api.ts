// Asks the box over its JSON API and answers in our shapes; whatever goes wrong arrives as a `Problem`.
// Invariant: a call either answers, or throws a `Problem`; it never waits longer than ANSWER_WITHIN_MS.

const BASE = '/api/v1/prm/';
const ANSWER_WITHIN_MS = 10_000;

export type Query = Record<string, string | number | boolean | null | undefined>;

/** How a call is made. */
export interface Asking {
  /** The version that the change is meant for; another one there answers 412 `stale`. */
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

export function get<T>(path: string, query?: Query, asking: Asking = {}): Promise<T> {
  return ask<T>('GET', path + written(query), undefined, asking);
}

/** A verb on something that exists. Never repeated by itself: calling twice is two calls. */
export function post<T>(path: string, body: unknown = {}, asking: Asking = {}): Promise<T> {
  return ask<T>('POST', path, body, asking);
}

/** Makes something new. Repeated once when the line broke, under the same key, so that it is made once. */
export async function create<T>(path: string, body: unknown, asking: Asking = {}): Promise<T> {
  const key = freshKey();
  try {
    return await ask<T>('POST', path, body, asking, key);
  } catch (problem) {
    if (problem instanceof Problem && problem.status === 0 && !asking.signal?.aborted) {
      return await ask<T>('POST', path, body, asking, key);
    }
    throw problem;
  }
}

export function patch<T>(path: string, body: unknown, asking: Asking = {}): Promise<T> {
  return ask<T>('PATCH', path, body, asking);
}

export function remove(path: string, asking: Asking = {}): Promise<void> {
  return ask<void>('DELETE', path, undefined, asking);
}

async function ask<T>(method: string, path: string, body: unknown, asking: Asking, key?: string): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-Carepost-CSRF'] = '1';
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (key !== undefined) headers['Idempotency-Key'] = key;
  if (asking.ifMatch !== undefined) headers['If-Match'] = `"${asking.ifMatch}"`;

  const patience = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const init: RequestInit = {
    method,
    headers,
    credentials: 'same-origin',
    cache: 'no-store',
    signal: asking.signal ? AbortSignal.any([asking.signal, patience]) : patience,
  };
  if (body !== undefined) init.body = JSON.stringify(body);

  let response: Response;
  let text: string;
  try {
    response = await fetch(BASE + path, init);
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

function written(query: Query | undefined): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined);
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}`;
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
