// The days of the week in the desk's language.
import type { Weekday } from '../../lib/shapes';
import { addDays, showDate } from '../clock';
import { words } from '../words.svelte';

export const WEEK: Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
/** A Monday, to name the days of the week by. */
const MONDAY = '2024-01-01';

export function dayName(weekday: Weekday): string {
  return showDate(addDays(MONDAY, WEEK.indexOf(weekday)), words.locale, 'weekday');
}
