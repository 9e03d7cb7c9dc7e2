// Why a message was not sent, or did not arrive by each of the ways that were tried, as people read it.
import type { Message } from '../../lib/shapes';
import { FAILURES, MEDIA } from '../media';
import { say } from '../words.svelte';

export function whys({ sending }: Message): string[] {
  if (!sending) return [];
  const tries = sending.deliveries.filter(({ error }) => error !== null);
  const tried = tries.map(({ medium, error }) => say('messages.tried', { medium: say(MEDIA[medium].word), why: failure(error ?? '') }));
  // That no way is left says nothing beside why each of them led nowhere.
  return sending.why === null || (sending.why === 'no-way-left' && tried.length > 0) ? tried : [failure(sending.why), ...tried];
}

/** A word of the box or the hub, or the code of whoever carried it. */
function failure(code: string): string {
  const word = FAILURES[code];
  return word ? say(word) : say('failure.code', { code });
}
