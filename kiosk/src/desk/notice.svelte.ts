// Short notices at the foot of the screen, with what can be done about them; and the way back from what was done.
import { refusalOf } from './refusal';
import { say } from './words.svelte';

const SHOWN_MS = 6_000;
const SHOWN_WITH_ACTIONS_MS = 20_000;
const NOTICES_MAX = 3;
const UNDO_MAX = 30;

export interface Action {
  label: string;
  run: () => void | Promise<void>;
}

export interface Notice {
  id: number;
  text: string;
  tone: 'calm' | 'care';
  actions: Action[];
  /** Stays until it is dismissed: something waits for a decision. */
  stays: boolean;
}

interface Undo {
  text: string;
  run: () => Promise<void>;
  /** The notice that offers it. */
  notice: number;
}

class Notices {
  shown = $state<Notice[]>([]);
  #undo: Undo[] = [];
  #next = 1;
  #timers = new Map<number, ReturnType<typeof setTimeout>>();

  tell(text: string, actions: Action[] = []): void {
    this.#show({ text, tone: 'calm', actions, stays: false });
  }

  /** Something was not done; the actions are the ways out. */
  refuse(text: string, actions: Action[] = []): void {
    this.#show({ text, tone: 'care', actions, stays: actions.length > 0 });
  }

  /** Tells why a call failed. */
  explain(cause: unknown, actions: Action[] = []): void {
    const { key, values } = refusalOf(cause);
    this.refuse(say(key, values), actions);
  }

  /** Tells what was done, and how it is undone: by the notice's button, or by Ctrl-Z as long as the page lives. */
  done(text: string, undo: () => Promise<void>): void {
    const entry: Undo = { text, run: undo, notice: this.#next };
    this.#undo.push(entry);
    if (this.#undo.length > UNDO_MAX) this.#undo.shift();
    this.tell(text, [{ label: say('undo'), run: () => this.#takeBack(entry) }]);
  }

  async undo(): Promise<void> {
    const last = this.#undo.at(-1);
    if (last) await this.#takeBack(last);
    else this.tell(say('undo.nothing'));
  }

  dismiss(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.shown = this.shown.filter((notice) => notice.id !== id);
  }

  /** Somebody reads it: it may not vanish. */
  hold(id: number): void {
    clearTimeout(this.#timers.get(id));
  }

  release(notice: Notice): void {
    if (notice.stays) return;
    clearTimeout(this.#timers.get(notice.id));
    const wait = notice.actions.length > 0 ? SHOWN_WITH_ACTIONS_MS : SHOWN_MS;
    this.#timers.set(
      notice.id,
      setTimeout(() => this.dismiss(notice.id), wait),
    );
  }

  async #takeBack(entry: Undo): Promise<void> {
    const at = this.#undo.indexOf(entry);
    if (at < 0) return;
    this.#undo.splice(at, 1);
    this.dismiss(entry.notice);
    try {
      await entry.run();
      this.tell(say('undo.done', { what: entry.text }));
    } catch (cause) {
      this.explain(cause);
    }
  }

  #show(notice: Omit<Notice, 'id'>): void {
    const whole = { ...notice, id: this.#next++ };
    this.shown = [...this.shown, whole].slice(-NOTICES_MAX);
    this.release(whole);
  }
}

export const notices = new Notices();
