// What the kinds of places are called.
import type { Location } from '../../lib/shapes';
import type { Key } from '../words.svelte';

export const PLACES: Record<Location['kind'], Key> = { room: 'place.room', equipment: 'place.equipment', site: 'place.site' };
