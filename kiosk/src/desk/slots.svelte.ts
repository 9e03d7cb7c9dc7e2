// Free slots of a week, for one practitioner or a speciality: what a booking or a move is chosen from.
import { Problem } from '../lib/api';
import type { Loan, Slot } from '../lib/shapes';
import { list } from './box';
import { addDays, dateOf } from './clock';
import { timeOf, type LentTime } from './desk.svelte';
import { lists } from './clinic.svelte';
import { session } from './session.svelte';
import { soon } from './soon';

const DAYS = 7;
/** The slots of a week; the box cuts the list there. */
const SLOTS_MAX = 10_000;
/** Loans that the box answers at once. */
const LOANS_ASKED = 500;

/** `any`, `speciality:…` or `practitioner:…`, as a choice of one list. */
export type Whom = string;

export class SlotChoice {
  whom = $state<Whom>('any');
  /** The first day of the week shown. */
  from = $state('');
  date = $state('');
  serviceId = $state<string | null>(null);
  /** Full slots too, for staff who overbook on purpose. */
  full = $state(false);
  slots = $state.raw<Slot[]>([]);
  loading = $state(true);
  #loans = $state.raw<Loan[]>([]);

  days = $derived(Array.from({ length: DAYS }, (_, index) => addDays(this.from, index)));
  onDate = $derived(this.slots.filter((slot) => dateOf(slot.start) === this.date));
  /** Times of that day that are lent to the cloud and of which no place is free here, each once. */
  lentOnDate = $derived.by((): LentTime[] => {
    const free = new Set(this.onDate.filter((slot) => slot.free > 0).map((slot) => slot.id));
    const lent = this.#loans.filter((loan) => dateOf(loan.start) === this.date && !free.has(loan.slot_id));
    return [...new Map(lent.map((loan) => [loan.slot_id, timeOf(loan)])).values()];
  });
  #asked = 0;
  readonly refresh = soon(() => this.read());

  constructor(date: string, practitionerId: string | null) {
    this.from = date;
    this.date = date;
    if (practitionerId !== null) this.whom = `practitioner:${practitionerId}`;
  }

  freeOn(date: string): number {
    return this.slots.filter((slot) => slot.free > 0 && dateOf(slot.start) === date).length;
  }

  turn(weeks: number): void {
    this.from = addDays(this.from, weeks * DAYS);
    this.date = this.from;
  }

  goTo(date: string): void {
    if (date < this.from || date >= addDays(this.from, DAYS)) this.from = date;
    this.date = date;
  }

  async read(): Promise<void> {
    const asked = ++this.#asked;
    const [kind, id] = [this.whom.slice(0, this.whom.indexOf(':')), this.whom.slice(this.whom.indexOf(':') + 1)];
    try {
      const query = {
        from: this.from,
        to: addDays(this.from, DAYS),
        practitioner: kind === 'practitioner' ? id : null,
        specialty: kind === 'specialty' ? id : null,
        service: this.serviceId,
        all: this.full ? true : null,
        limit: SLOTS_MAX,
      };
      const { from, to, practitioner } = query;
      const [slots, loans]: [Slot[], Loan[]] = await Promise.all([
        list('slots', { query }),
        list('loans', { query: { from, to, practitioner, limit: LOANS_ASKED } }),
      ]);
      if (asked !== this.#asked) return;
      // Of the full ones only those that are still to come; nobody is overbooked into the past.
      this.slots = slots.filter((slot) => Date.parse(slot.end) > session.nowMs());
      this.#loans = loans.filter((loan) => Date.parse(loan.start) > session.nowMs() && (kind !== 'specialty' || isOf(loan, id)));
      this.loading = false;
    } catch (cause) {
      if (!(cause instanceof Problem)) throw cause;
    }
  }
}

function isOf(loan: Loan, specialty: string): boolean {
  return lists.practitioner(loan.practitioner_id)?.specialties.includes(specialty) ?? false;
}
