// A visit being arranged: who comes, to whom, when and why. One draft, so that nothing typed is lost when it is put aside.
import type { Appointment, NewPatient, Patient, Slot } from '../lib/shapes';
import { birthOf } from './birth';
import { create } from './box';
import { makePatient } from './patient.svelte';
import { earliestFirst, isRefusal, otherSlots, refusalOf } from './refusal';
import type { Key } from './words.svelte';

export type Way = 'book' | 'walk-in' | 'add';
export type Unit = 'day' | 'week' | 'month';

export interface SeriesAnswer {
  series_id: string;
  booked: Appointment[];
  conflicts: { start: string; code: string; detail: string }[];
}

class Visit {
  way = $state<Way>('book');
  patient = $state.raw<Patient | null>(null);

  /** The three fields of somebody new. */
  adding = $state(false);
  name = $state('');
  phone = $state('');
  birth = $state('');
  candidates = $state.raw<Patient[]>([]);

  practitionerId = $state<string | null>(null);
  slot = $state.raw<Slot | null>(null);
  serviceId = $state<string | null>(null);
  reason = $state('');
  overbook = $state('');
  /** Why the slot could not be had, and what could be instead. */
  refused = $state<Key | null>(null);
  alternatives = $state.raw<Slot[]>([]);

  repeats = $state(false);
  unit = $state<Unit>('week');
  interval = $state(1);
  count = $state(4);
  /** What became of a series that could not be booked whole. */
  series = $state.raw<SeriesAnswer | null>(null);

  /** Begins with what is known already; what was typed about somebody new stays. */
  begin(way: Way, known: { patient?: Patient | null; practitionerId?: string | null; slot?: Slot | null } = {}): void {
    this.way = way;
    this.patient = known.patient ?? null;
    this.adding = way === 'add' || (this.patient === null && this.name !== '');
    this.practitionerId = known.practitionerId ?? known.slot?.practitioner_id ?? null;
    this.slot = known.slot ?? null;
    this.candidates = [];
    this.refused = null;
    this.alternatives = [];
    this.overbook = '';
    this.repeats = false;
    this.series = null;
    if (this.patient) this.reason = '';
  }

  use(patient: Patient): void {
    this.patient = patient;
    this.adding = false;
    this.candidates = [];
    this.name = this.phone = this.birth = '';
  }

  /** Makes the new patient; false where somebody very like them is known, who then stands in `candidates`. */
  async add(evenIfKnown = false): Promise<boolean> {
    const fresh: NewPatient = { name: this.name.trim() };
    if (this.phone.trim() !== '') fresh.phone = this.phone.trim();
    const birth = birthOf(this.birth);
    if (birth !== null) fresh.birth_date = birth;
    if (evenIfKnown) fresh.accept_duplicate = true;
    try {
      this.use(await makePatient(fresh));
      return true;
    } catch (cause) {
      if (!isRefusal(cause, 'likely_duplicate')) throw cause;
      this.candidates = cause.body['candidates'] as Patient[];
      return false;
    }
  }

  /** Books; null where the slot was taken meanwhile, and `alternatives` holds the nearest others, earliest first. */
  async book(): Promise<Appointment | null> {
    if (!this.patient || !this.slot) return null;
    const overbook = this.overbook.trim();
    try {
      const body = { ...this.#wish(this.patient, this.slot), overbook: overbook === '' ? null : { reason: overbook } };
      const appointment: Appointment = await create('appointments', { body });
      this.reason = '';
      return appointment;
    } catch (cause) {
      const others = otherSlots(cause);
      if (others === null) throw cause;
      // The reason given did not get the slot; only another one may ask for it again.
      this.overbook = '';
      this.refused = refusalOf(cause).key;
      this.alternatives = earliestFirst(others);
      return null;
    }
  }

  async bookSeries(): Promise<SeriesAnswer | null> {
    if (!this.patient || !this.slot) return null;
    const every = { unit: this.unit, interval: this.interval, count: this.count };
    const body = { ...this.#wish(this.patient, this.slot), every };
    const answer: SeriesAnswer = await create('appointments/series', { body });
    if (answer.conflicts.length > 0) this.series = answer;
    this.reason = '';
    return answer;
  }

  #wish(patient: Patient, slot: Slot) {
    return {
      patient_id: patient.id,
      slot_id: slot.id,
      ...(this.reason.trim() === '' ? {} : { reason: this.reason.trim() }),
      ...(this.serviceId === null ? {} : { service_id: this.serviceId }),
    };
  }
}

export const visit = new Visit();
