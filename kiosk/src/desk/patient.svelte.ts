// People: the search box, and the patient whose card is open.
import type { Appointment, Duplicate, NewPatient, Page, Patient, PatientEdit, PatientMatch, Relative } from '../lib/shapes';
import { Problem } from '../lib/api';
import type { Change } from '../lib/live';
import { create, get, list, patch, post, remove } from './box';
import { soon } from './soon';

const SHOWN_MAX = 12;
const TYPING_PAUSE_MS = 120;

export class PatientSearch {
  text = $state('');
  found = $state.raw<PatientMatch[]>([]);
  /** The text that `found` answers. */
  answered = $state('');
  #asking: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  type(text: string): void {
    this.text = text;
    clearTimeout(this.#timer);
    if (text.trim() === '') {
      this.#asking?.abort();
      this.found = [];
      this.answered = '';
      return;
    }
    this.#timer = setTimeout(() => void this.#ask(text), TYPING_PAUSE_MS);
  }

  clear(): void {
    this.type('');
  }

  /** The first who fits what is typed now, for somebody who presses Enter faster than the answer comes. */
  async first(): Promise<PatientMatch | null> {
    return (await this.settle()) ? (this.found[0] ?? null) : null;
  }

  /** Waits for the answer to what is typed now; false where it does not come. */
  async settle(): Promise<boolean> {
    if (this.answered !== this.text) {
      clearTimeout(this.#timer);
      await this.#ask(this.text);
    }
    return this.answered === this.text;
  }

  async #ask(text: string): Promise<void> {
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    try {
      const query = { q: text, limit: SHOWN_MAX };
      const { items }: Page<PatientMatch> = await get('patients', { query, signal: asking.signal });
      if (asking.signal.aborted) return;
      this.found = items;
      this.answered = text;
    } catch (cause) {
      if (!(cause instanceof Problem)) throw cause;
    }
  }
}

class PatientCard {
  patient = $state.raw<Patient | null>(null);
  family = $state.raw<Relative[]>([]);
  appointments = $state.raw<Appointment[]>([]);
  #readSoon = soon(() => this.#again(() => this.#read()));
  #readAppointmentsSoon = soon(() => this.#again(() => this.#readAppointments()));

  async open(id: string): Promise<void> {
    if (this.patient?.id !== id) {
      this.patient = null;
      this.family = [];
      this.appointments = [];
    }
    await this.#read(id);
  }

  close(): void {
    this.patient = null;
  }

  /** Everything may have changed. */
  changed(): void {
    if (this.patient) this.#readSoon();
  }

  /** A record changed; read again only what may be on the card, for each reading of a record is a line in the audit. */
  heard(change: Change): void {
    if (!this.patient) return;
    if (change.noun === 'patient' && change.id === this.patient.id) this.#readSoon();
    if (change.noun !== 'appointment') return;
    if (change.verb === 'book' || this.appointments.some((one) => one.id === change.id)) this.#readAppointmentsSoon();
  }

  async #read(id = this.patient?.id): Promise<void> {
    if (id === undefined) return;
    const [patient, family] = await Promise.all([
      get('patients/{id}', { path: { id } }),
      list('patients/{id}/family', { path: { id } }),
      this.#readAppointments(id),
    ]);
    this.patient = patient;
    this.family = family;
  }

  async #readAppointments(id = this.patient?.id): Promise<void> {
    if (id === undefined) return;
    const appointments: Appointment[] = await list('patients/{id}/appointments', { path: { id } });
    this.appointments = appointments.toSorted((a, b) => a.start.localeCompare(b.start));
  }

  async #again(read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch (cause) {
      // What is on the card stays; the banner or the next click says what is wrong.
      if (!(cause instanceof Problem)) throw cause;
    }
  }
}

export const card = new PatientCard();

export function makePatient(patient: NewPatient): Promise<Patient> {
  return create('patients', { body: patient });
}

export function changePatient(id: string, change: PatientEdit, version: number): Promise<Patient> {
  return patch('patients/{id}', { path: { id }, body: change, ifMatch: version });
}

/** Says that somebody is the `relationship` of a patient. */
export async function relate(patientId: string, relativeId: string, relationship: string): Promise<Relative> {
  const body = { patient_id: relativeId, relationship };
  const relative: Relative = await create('patients/{id}/family', { path: { id: patientId }, body });
  card.changed();
  return relative;
}

/** Takes back what either record says of the other; the answer is what says it again. */
export async function unrelate(patientId: string, relative: Relative): Promise<() => Promise<void>> {
  const theirs: Relative[] = await list('patients/{id}/family', { path: { id: relative.id } });
  const back = theirs.find(({ id }) => id === patientId)?.relationship ?? null;
  await remove('patients/{id}/family/{related_id}', { path: { id: patientId, related_id: relative.id } });
  card.changed();
  return async () => {
    if (relative.relationship !== null) await relate(patientId, relative.id, relative.relationship);
    if (back !== null) await relate(relative.id, patientId, back);
  };
}

export function likelyDuplicates(): Promise<Duplicate[]> {
  return list('patients/duplicates');
}

export function mergePatients(keptId: string, duplicateId: string): Promise<{ merge_id: string; patient: Patient }> {
  return post('patients/{id}/merge', { path: { id: keptId }, body: { duplicate_id: duplicateId } });
}

/** Says that a pair is of two people. */
export async function dismissDuplicate(pair: Duplicate): Promise<void> {
  await post('patients/duplicates/dismiss', { body: { a: pair.a.id, b: pair.b.id } });
}

export async function undoMerge(mergeId: string): Promise<void> {
  await post('patients/merges/{merge_id}/undo', { path: { merge_id: mergeId } });
}
