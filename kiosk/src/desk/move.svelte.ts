// An appointment being moved: the time that is chosen, and what could be instead where it was refused.
import type { Appointment, Slot } from '../lib/shapes';
import { day } from './day.svelte';
import { earliestFirst, otherSlots, refusalOf } from './refusal';
import type { Key } from './words.svelte';

export class Move {
  readonly appointment: Appointment;
  overbook = $state('');
  refused = $state<Key | null>(null);
  alternatives = $state.raw<Slot[]>([]);
  slot = $state.raw<Slot | null>(null);

  isFull = $derived(this.slot !== null && this.slot.free === 0);
  /** Where it would go: to a refused slot only on purpose, with a reason to overbook it. */
  chosen = $derived(this.refused !== null && this.overbook.trim() === '' ? null : this.slot);

  constructor(appointment: Appointment) {
    this.appointment = appointment;
  }

  pick(slot: Slot): void {
    this.slot = slot;
    this.refused = null;
    this.alternatives = [];
    this.overbook = '';
  }

  /** Moves; null where the slot was taken meanwhile, and `alternatives` holds the nearest others, earliest first. */
  async go(): Promise<Appointment | null> {
    if (!this.chosen) return null;
    const overbook = this.overbook.trim();
    try {
      return await day.move(this.appointment, this.chosen.id, overbook === '' ? undefined : overbook);
    } catch (cause) {
      const others = otherSlots(cause);
      if (others === null) throw cause;
      // The reason given did not get the slot; only another one may ask for it again.
      this.overbook = '';
      this.refused = refusalOf(cause).key;
      this.alternatives = earliestFirst(others);
      // The day shows what came between.
      day.changed();
      return null;
    }
  }
}
