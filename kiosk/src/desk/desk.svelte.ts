// The desk as a whole: which page, which dialog, which appointment is chosen, and what a change or a key means for them.
import { tick } from 'svelte';
import { listen, type Change } from '../lib/live';
import type { Appointment, Loan, Patient, QueueEntry, Slot } from '../lib/shapes';
import { addDays } from './clock';
import { day } from './day.svelte';
import { lists } from './clinic.svelte';
import { line } from './line.svelte';
import { notices } from './notice.svelte';
import { card } from './patient.svelte';
import { queue } from './queue.svelte';
import { session } from './session.svelte';
import { visit, type Way } from './visit.svelte';
import { say } from './words.svelte';

export const PAGES = ['day', 'messages', 'tickets', 'waitlist', 'wording', 'duplicates', 'practitioners', 'places', 'devices', 'sync', 'staff', 'audit'] as const;
export type Page = (typeof PAGES)[number];

/** A time that is lent to the cloud: a slot of the day, or what a loan says of it. */
export type LentTime = Pick<Slot, 'id' | 'practitioner_id' | 'start' | 'end'>;

export function timeOf({ slot_id, practitioner_id, start, end }: Loan): LentTime {
  return { id: slot_id, practitioner_id, start, end };
}

export type Dialog =
  | { name: 'visit' }
  | { name: 'move'; appointment: Appointment }
  | { name: 'overbook'; appointment: Appointment; slot: Slot }
  | { name: 'cancel'; appointment: Appointment }
  | { name: 'fitting'; appointment: Appointment }
  | { name: 'lent'; time: LentTime }
  | { name: 'qr'; appointment: Appointment }
  | { name: 'edit'; patient: Patient }
  | { name: 'audit'; patient: Patient }
  | { name: 'relate'; patient: Patient }
  | { name: 'prioritise'; entry: QueueEntry }
  | { name: 'password' }
  | { name: 'help' };

const SINGLE_KEYS_KEPT_AS = 'carepost.desk.single-keys';
const TICK_MS = 15_000;

class Desk {
  page = $state<Page>('day');
  dialog = $state.raw<Dialog | null>(null);
  /** The appointment that keys act on. */
  chosenId = $state<string | null>(null);
  /** Whose queue `c` calls: a practitioner, the desk (null), or nobody chosen yet. */
  calling = $state<string | null | undefined>(undefined);
  singleKeys = $state(localStorage.getItem(SINGLE_KEYS_KEPT_AS) !== 'off');
  /** The clinic's clock, in milliseconds, as often as waiting times need it. */
  nowMs = $state(0);
  live = $state(true);

  chosen = $derived(
    this.chosenId === null
      ? null
      : (day.appointment(this.chosenId) ?? card.appointments.find((one) => one.id === this.chosenId) ?? null),
  );

  /** Starts reading and listening; call the answer to stop. */
  begin(): () => void {
    this.#follow();
    this.nowMs = session.nowMs();
    const follow = () => this.#follow();
    addEventListener('hashchange', follow);
    const all = () => {
      this.#readAll();
      day.changed();
    };
    const tick = setInterval(() => {
      this.nowMs = session.nowMs();
      // Without the live line the screen asks for itself.
      if (!this.live && line.up) all();
    }, TICK_MS);
    line.whenBack(all);
    this.#readAll();
    // Nothing that is told there concerns somebody who reads the audit only.
    const stop = session.is('auditor') ? () => {} : listen({
      changed: (change) => this.#changed(change),
      missed: all,
      line: (up) => {
        this.live = up;
        if (!up) void line.ask();
      },
    });
    return () => {
      clearInterval(tick);
      removeEventListener('hashchange', follow);
      stop();
    };
  }

  /** The pages that whoever sits here may open; the first is where they begin. */
  pages(): Page[] {
    if (session.is('auditor')) return ['audit'];
    if (session.is('admin')) return [...PAGES];
    return session.runsDesk ? PAGES.filter((page) => page !== 'staff' && page !== 'audit') : ['day'];
  }

  /** The clinic's date; follows the clock over midnight. */
  today(): string {
    void this.nowMs;
    return this.wallOf(session.nowMs()).slice(0, 10);
  }

  /** A moment as the clinic's wall clock writes it: `2026-11-23T10:25:00.000Z`, whose letters are what counts. */
  wallOf(ms: number): string {
    return new Date(ms + offsetMs(session.clinic?.now ?? '')).toISOString();
  }

  go(page: Page, date?: string): void {
    location.hash = page === 'day' ? `day/${date ?? day.date}` : page;
  }

  step(days: number): void {
    this.go('day', addDays(day.date, days));
  }

  arrange(way: Way, known: Parameters<typeof visit.begin>[1] = {}): void {
    visit.begin(way, known);
    this.dialog = { name: 'visit' };
  }

  close(): void {
    this.dialog = null;
  }

  async openPatient(id: string, appointmentId: string | null = null): Promise<void> {
    this.chosenId = appointmentId;
    if (this.page !== 'day') this.go('day');
    try {
      await card.open(id);
    } catch (cause) {
      notices.explain(cause, [{ label: say('again'), run: () => this.openPatient(id, appointmentId) }]);
    }
  }

  /** The focus goes back to the appointment that the card was opened from. */
  closeCard(): void {
    const from = this.chosenId;
    card.close();
    this.chosenId = null;
    if (from === null) return;
    void tick().then(() => document.querySelector<HTMLElement>(`[data-appointment="${from}"]`)?.focus());
  }

  /** WCAG 2.1.4: keys that are one letter can be switched off. */
  setSingleKeys(on: boolean): void {
    this.singleKeys = on;
    localStorage.setItem(SINGLE_KEYS_KEPT_AS, on ? 'on' : 'off');
  }

  #follow(): void {
    const [name, date] = location.hash.slice(1).split('/');
    const pages = this.pages();
    this.page = pages.find((page) => page === name) ?? pages[0] ?? 'day';
    if (session.is('auditor')) return;
    if (this.page === 'day') void day.show(/^\d{4}-\d{2}-\d{2}$/.test(date ?? '') ? (date as string) : this.today());
    else if (day.date === '') void day.show(this.today());
  }

  #readAll(): void {
    if (session.is('auditor')) return;
    void lists.load().catch(() => undefined);
    void queue.load();
    card.changed();
  }

  #changed(change: Change): void {
    card.heard(change);
    for (const hear of this.#hearingAll) hear();
    switch (change.noun) {
      case 'appointment':
      case 'loan':
        day.changed();
        break;
      case 'queue':
        queue.changed();
        break;
      case 'patient':
        if (day.appointments.some((one) => one.patient_id === change.id)) day.changed();
        if (queue.entries.some((entry) => entry.patient?.id === change.id)) queue.changed();
        break;
      case 'practitioner':
      case 'schedule':
      case 'leave':
      case 'closed_day':
      case 'location':
      case 'healthcare_service':
        lists.changed(change.noun);
        day.changed();
        break;
      case 'conversation':
      case 'message':
      case 'ticket':
      case 'waitlist':
      case 'faq':
      case 'template':
      case 'canned_answer':
      case 'patient_instruction':
      case 'reminder_rule':
      case 'device':
      case 'staff':
        // Their pages read for themselves.
        for (const hear of this.#hearing) hear(change);
        break;
    }
  }

  #hearing = new Set<(change: Change) => void>();

  #hearingAll = new Set<() => void>();

  /** Tells of every change that there was one; call the answer to stop. */
  hearAll(changed: () => void): () => void {
    this.#hearingAll.add(changed);
    return () => this.#hearingAll.delete(changed);
  }

  /** Tells a page of changes that only it shows; call the answer to stop. */
  hear(changed: (change: Change) => void): () => void {
    this.#hearing.add(changed);
    return () => this.#hearing.delete(changed);
  }
}

function offsetMs(now: string): number {
  const [, sign, hours, minutes] = /([+-])(\d{2}):(\d{2})$/.exec(now) ?? [];
  return (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000 * (sign === '-' ? -1 : 1);
}

export const desk = new Desk();
