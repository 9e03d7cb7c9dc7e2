// Who waits for a time: whom of the list one that became free would suit, and what is said of a wish.
import type { Appointment, PartOfDay, WaitlistEntry, WaitlistOffered } from '../lib/shapes';
import { get, post } from './box';
import { lists } from './clinic.svelte';
import { showDate } from './clock';
import { desk } from './desk.svelte';
import { notices } from './notice.svelte';
import { showMoment } from './sync.svelte';
import { say, words, type Key } from './words.svelte';

export const PARTS: Record<PartOfDay, Key> = {
  morning: 'part.morning',
  afternoon: 'part.afternoon',
  evening: 'part.evening',
};

/** What somebody waits for, in a line. */
export function wishOf(entry: WaitlistEntry): string {
  const service = lists.services.find(({ id }) => id === entry.service_id)?.name;
  const { practitioner_id, specialty, from, to, part_of_day } = entry;
  const days = from === to ? showDate(from, words.locale) : `${showDate(from, words.locale)} – ${showDate(to, words.locale)}`;
  return [practitioner_id && lists.nameOf(practitioner_id), specialty, service, days, part_of_day && say(PARTS[part_of_day])]
    .filter(Boolean)
    .join(' · ');
}

/** Those whom the time of an appointment would suit. */
export async function fitting(appointment: Appointment): Promise<WaitlistEntry[]> {
  const found: { items: WaitlistEntry[] } = await get('waitlist/fitting', { query: { slot: appointment.slot_id } });
  return found.items.filter((entry) => entry.patient_id !== appointment.patient_id);
}

/** Says, once an appointment was called off, that its time would suit somebody who waits. */
export async function tellFitting(appointment: Appointment): Promise<void> {
  // Whether anybody waits is an extra: that it cannot be asked stops nothing.
  const found = await fitting(appointment).catch(() => []);
  if (found.length === 0) return;
  notices.tell(say('waitlist.fits', { count: found.length }), [
    { label: say('waitlist.show_fitting'), run: () => void (desk.dialog = { name: 'fitting', appointment }) },
  ]);
}

export function offer(entry: WaitlistEntry, slotId: string): Promise<WaitlistOffered> {
  return post('waitlist/{id}/offer', { path: { id: entry.id }, body: { slot_id: slotId } });
}

export function decline(entry: WaitlistEntry): Promise<WaitlistEntry> {
  return post('waitlist/{id}/decline', { path: { id: entry.id } });
}

/** Where somebody on the list stands, in words. */
export function standsOf({ offer, declined }: WaitlistEntry): string {
  if (offer) return say('waitlist.offered', { time: showMoment(offer.start), until: showMoment(offer.until) });
  return declined ? say('waitlist.declined', { time: showMoment(declined) }) : say('waitlist.waiting');
}

export function take(entry: WaitlistEntry, slotId: string): Promise<WaitlistEntry> {
  return post('waitlist/{id}/book', { path: { id: entry.id }, body: { slot_id: slotId } });
}

export function withdraw(entry: WaitlistEntry): Promise<WaitlistEntry> {
  return post('waitlist/{id}/withdraw', { path: { id: entry.id } });
}
