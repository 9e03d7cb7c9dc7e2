// The desk's way to the box: the calls of the API, kept alive over a session that runs out.
import * as api from '../lib/api';
import type { Call, Given, Item, ListPath } from '../lib/paths';
import { session } from './session.svelte';

/** A list longer than this many pages is cut; no screen of the desk shows more. */
const PAGES_MAX = 20;

export const get: Call<'get'> = (path, ...given) => session.keep(() => api.get(path, ...given), given[0]?.signal);

/** A list with all its pages. */
export async function list<Path extends ListPath, T extends Item<Path>>(
  path: Path,
  ...[given]: object extends Given<'get', Path> ? [given?: Given<'get', Path>] : [given: Given<'get', Path>]
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX; page++) {
    // A list that has no pages never answers that there is more, so it is never asked with a cursor.
    const asked = { ...given, query: { ...given?.query, cursor } } as Given<'get', 'audit'>;
    const answer = await get(path as 'audit', asked);
    items.push(...(answer.items as T[]));
    cursor = answer.next ?? null;
    if (cursor === null) break;
  }
  return items;
}

export const post: Call<'post'> = (path, ...given) => session.keep(() => api.post(path, ...given));

export const create: Call<'post'> = (path, ...given) => session.keep(() => api.create(path, ...given));

export const patch: Call<'patch'> = (path, ...given) => session.keep(() => api.patch(path, ...given));

export const remove: Call<'delete'> = (path, ...given) => session.keep(() => api.remove(path, ...given));
