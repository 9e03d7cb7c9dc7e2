// How much waits for the desk: conversations in which somebody waits for a person, and tickets.
import type { Conversation, DeskTicket } from '../lib/shapes';
import { get } from './box';
import { desk } from './desk.svelte';
import { soon } from './soon';

/** More than this is shown as this. */
const COUNTED_MAX = 99;

class Badges {
  unread = $state(0);
  tickets = $state(0);

  /** Begins to count; call the answer to stop. */
  begin(): () => void {
    const read = soon(() => this.#read());
    read();
    return desk.hear((change) => {
      if (['conversation', 'message', 'ticket'].includes(change.noun)) read();
    });
  }

  async #read(): Promise<void> {
    try {
      const limit = COUNTED_MAX;
      const waiting: { items: Conversation[] } = await get('conversations', { query: { unread: true, limit } });
      const open: { items: DeskTicket[] } = await get('tickets', { query: { limit } });
      this.unread = waiting.items.length;
      this.tickets = open.items.length;
    } catch {
      // What is shown gets older; that the box does not answer is said elsewhere.
    }
  }
}

export const badges = new Badges();
