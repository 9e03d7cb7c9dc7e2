// How what a message holds is shown, and why it is not there.
import type { Key } from './words.svelte';

/** In its place, by a player, or put by on the disk. */
export type How = 'seen' | 'heard' | 'saved';

// Sound of old telephones is played by no browser.
const UNPLAYED = 'audio/amr';

export function kindOf(mediaType: string): { how: How; word: Key } {
  const [kind] = mediaType.split('/');
  if (kind === 'image') return { how: 'seen', word: 'attached.image' };
  if (kind === 'audio') return { how: mediaType === UNPLAYED ? 'saved' : 'heard', word: 'attached.audio' };
  if (kind === 'video') return { how: 'saved', word: 'attached.video' };
  return { how: 'saved', word: 'attached.document' };
}

const WHY_NOT: Record<string, Key> = {
  'too-long': 'attached.too-long',
  'not-allowed': 'attached.not-allowed',
  'no-room': 'attached.no-room',
  'host-not-named': 'attached.host-not-named',
  'never-came': 'attached.never-came',
};

/** Why it is not there. How a line failed that was tried for a day is one thing to the desk. */
export function whyNot(why: string | null): Key {
  return WHY_NOT[why ?? ''] ?? 'attached.gone';
}
