// The day that is on the grid: its appointments and slots, and every step an appointment can take.
import type { Appointment, QueueEntry, Slot } from '../lib/shapes';
import { Problem } from '../lib/api';
import { get, list, post } from './box';
import { addDays, dateOf } from './clock';
import { lists } from './clinic.svelte';
import { blocksOf, columnsOf, hoursOf, isGone, pxPerMinute, stepOf } from './grid';
import { session } from './session.svelte';
import { soon } from './soon';

/** The slots of a day of the largest clinic; the box cuts the list there. */
const SLOTS_MAX = 10_000;

export type Step = 'confirm' | 'arrive' | 'check-in' | 'no-show' | 'complete';

/** What a step answers: checking in gives a token, too. */
type Taken = Appointment & { queue_entry?: QueueEntry };

class DayOnScreen {
  date = $state('');
  appointments = $state.raw<Appointment[]>([]);
  slots = $state.raw<Slot[]>([]);
  loading = $state(false);

  #whole = $derived({
    date: this.date,
    practitioners: lists.practitioners,
    locations: lists.locations,
    schedules: lists.schedules,
    leaves: lists.leaves,
    slots: this.slots,
    appointments: this.appointments,
  });
  columns = $derived(columnsOf(this.#whole, session.nowMs()));
  hours = $derived(hoursOf(this.#whole));
  step = $derived(stepOf(this.slots));
  pxPerMinute = $derived(pxPerMinute(this.#whole));
  blocks = $derived(blocksOf(this.#whole, this.columns, this.hours));
  closed = $derived(lists.closedDays.find((day) => day.date === this.date) ?? null);
  counts = $derived({
    booked: this.appointments.filter((one) => !isGone(one)).length,
    here: this.appointments.filter((one) => one.status === 'arrived' || one.status === 'checked-in').length,
    done: this.appointments.filter((one) => one.status === 'fulfilled').length,
    missed: this.appointments.filter((one) => one.status === 'noshow').length,
  });

  #readSoon = soon(() => this.#read());

  async show(date: string): Promise<void> {
    if (date === this.date) return;
    this.date = date;
    this.loading = true;
    this.appointments = [];
    this.slots = [];
    await this.#read();
  }

  /** Something that may be on the grid changed. */
  changed(): void {
    this.#readSoon();
  }

  appointment(id: string): Appointment | null {
    return this.appointments.find((one) => one.id === id) ?? null;
  }

  async take(appointment: Appointment, step: Step): Promise<Taken> {
    const answer: Taken = await post(`appointments/{id}/${step}`, { path: { id: appointment.id } });
    this.put(answer);
    return answer;
  }

  async cancel(appointment: Appointment, reason: string): Promise<Appointment> {
    const answer: Appointment = await post('appointments/{id}/cancel', { path: { id: appointment.id }, body: { reason } });
    this.put(answer);
    return answer;
  }

  /** The version is not sent: two desks that move one appointment must both hear what became of it. */
  async move(appointment: Appointment, slotId: string, overbook?: string): Promise<Appointment> {
    const body = { slot_id: slotId, ...(overbook === undefined ? {} : { overbook: { reason: overbook } }) };
    const answer: Appointment = await post('appointments/{id}/move', { path: { id: appointment.id }, body });
    this.put(answer);
    return answer;
  }

  /** Shows an appointment as the box has just answered it, without waiting for the next reading. */
  put(appointment: Appointment): void {
    const others = this.appointments.filter((one) => one.id !== appointment.id);
    this.appointments = dateOf(appointment.start) === this.date ? [...others, appointment] : others;
    this.changed();
  }

  /** Reads one appointment, wherever in time it is. */
  read(id: string): Promise<Appointment> {
    return get('appointments/{id}', { path: { id } });
  }

  async #read(): Promise<void> {
    const date = this.date;
    if (date === '') return;
    const range = { from: date, to: addDays(date, 1) };
    try {
      const [appointments, slots] = await Promise.all([
        list('appointments', { query: range }),
        list('slots', { query: { ...range, all: true, limit: SLOTS_MAX } }),
      ]);
      // Another day may have been chosen while this one was on its way.
      if (this.date !== date) return;
      // An answer that says nothing new must not draw the grid again.
      if (!same(this.appointments, appointments, (one) => `${one.id} ${one.version} ${one.patient.name}`)) {
        this.appointments = appointments;
      }
      if (!same(this.slots, slots, (one) => `${one.id} ${one.free} ${one.lent} ${one.location_id}`)) this.slots = slots;
      this.loading = false;
    } catch (cause) {
      // The banner says that the box is silent; the day is read again when it is back.
      if (!(cause instanceof Problem)) throw cause;
      this.loading = false;
    }
  }
}

/** Whether two answers hold the same, in any order. */
function same<T>(before: T[], after: T[], key: (one: T) => string): boolean {
  const keys = new Set(before.map(key));
  return before.length === after.length && after.every((one) => keys.has(key(one)));
}

export const day = new DayOnScreen();
