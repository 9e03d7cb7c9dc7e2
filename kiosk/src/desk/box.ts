// The desk's way to the box: the calls of the API, kept alive over a session that runs out.
import * as api from '../lib/api';
import type { Page } from '../lib/shapes';
import { session } from './session.svelte';

/** A list longer than this many pages is cut; no screen of the desk shows more. */
const PAGES_MAX = 20;

export function get<T>(path: string, query?: api.Query, asking?: api.Asking): Promise<T> {
  return session.keep(() => api.get<T>(path, query, asking), asking?.signal);
}

/** A list with all its pages. */
export async function list<T>(path: string, query: api.Query = {}): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer: Page<T> = await get<Page<T>>(path, { ...query, cursor });
    items.push(...answer.items);
    cursor = answer.next;
    if (cursor === null) break;
  }
  return items;
}

export function post<T>(path: string, body?: unknown, asking?: api.Asking): Promise<T> {
  return session.keep(() => api.post<T>(path, body, asking));
}

export function create<T>(path: string, body: unknown): Promise<T> {
  return session.keep(() => api.create<T>(path, body));
}

export function patch<T>(path: string, body: unknown, version: number): Promise<T> {
  return session.keep(() => api.patch<T>(path, body, { ifMatch: version }));
}

export function remove(path: string): Promise<void> {
  return session.keep(() => api.remove(path));
}
