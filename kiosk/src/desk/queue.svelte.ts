// Today's queue: who waits for whom, in the box's order, and the steps of a turn.
import type { Practitioner, QueueEntry } from '../lib/shapes';
import { Problem } from '../lib/api';
import { create, list, post } from './box';
import { lists } from './clinic.svelte';
import { soon } from './soon';

export type Turn = 'call' | 'recall' | 'skip' | 'rejoin' | 'finish' | 'leave';

/** One line of people: before a practitioner's door, or before the desk. */
export interface Row {
  practitioner: Practitioner | null;
  called: QueueEntry[];
  waiting: QueueEntry[];
  skipped: QueueEntry[];
}

class Queue {
  entries = $state.raw<QueueEntry[]>([]);
  rows = $derived(rowsOf(this.entries, lists.practitioners));
  waiting = $derived(this.entries.filter((entry) => entry.status === 'waiting').length);
  #readSoon = soon(() => this.load());

  async load(): Promise<void> {
    try {
      this.entries = await list('queue');
    } catch (cause) {
      if (!(cause instanceof Problem)) throw cause;
    }
  }

  changed(): void {
    this.#readSoon();
  }

  waitingFor(practitionerId: string): number {
    return this.entries.filter((entry) => entry.practitioner_id === practitionerId && entry.status === 'waiting').length;
  }

  entryOf(appointmentId: string): QueueEntry | null {
    return this.entries.find((entry) => entry.appointment_id === appointmentId) ?? null;
  }

  /** Calls whoever is next; who was called before is taken as finished. Under a key, so that one press calls one. */
  async callNext(practitionerId: string | null): Promise<QueueEntry> {
    const whose = practitionerId === null ? { desk: true } : { practitioner_id: practitionerId };
    const entry: QueueEntry = await create('queue/call-next', { body: { ...whose, finish_current: true } });
    this.changed();
    return entry;
  }

  async take(entry: QueueEntry, turn: Turn): Promise<QueueEntry> {
    const answer: QueueEntry = await post(`queue/{id}/${turn}`, { path: { id: entry.id } });
    this.#put(answer);
    return answer;
  }

  async prioritise(entry: QueueEntry, reason: string): Promise<void> {
    this.#put(await post('queue/{id}/prioritise', { path: { id: entry.id }, body: { reason } }));
  }

  async walkIn(patientId: string, practitionerId: string): Promise<QueueEntry> {
    const body = { patient_id: patientId, practitioner_id: practitionerId };
    const entry: QueueEntry = await create('queue', { body });
    this.changed();
    return entry;
  }

  #put(answer: QueueEntry): void {
    this.entries = this.entries.map((entry) => (entry.id === answer.id ? answer : entry));
    this.changed();
  }
}

/** The desk first, then the practitioners in their order; only those before whose door somebody is. */
export function rowsOf(entries: QueueEntry[], practitioners: Practitioner[]): Row[] {
  const whose = (entry: QueueEntry) => (entry.kind === 'desk' ? null : entry.practitioner_id);
  const row = (practitioner: Practitioner | null): Row => {
    const own = entries.filter((entry) => whose(entry) === (practitioner?.id ?? null));
    return {
      practitioner,
      called: own.filter((entry) => entry.status === 'called'),
      waiting: own.filter((entry) => entry.status === 'waiting'),
      skipped: own.filter((entry) => entry.status === 'skipped'),
    };
  };
  return [null, ...practitioners]
    .map(row)
    .filter(({ called, waiting, skipped }) => called.length + waiting.length + skipped.length > 0);
}

export const queue = new Queue();
