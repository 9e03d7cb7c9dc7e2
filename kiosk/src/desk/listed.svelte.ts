// A list of the box on a screen: read when the screen opens and after every change, and acted upon one thing at a time.
import { desk } from './desk.svelte';
import { notices } from './notice.svelte';
import { session } from './session.svelte';
import { soon } from './soon';

export class Listed<T> {
  items = $state.raw<T[]>([]);
  /** Whether it was read at least once. */
  ready = $state(false);
  /** When it was read last, by the clinic's clock. */
  readMs = $state(0);
  /** Whether something is being done with one of them. */
  busy = $state(false);
  readonly read: () => void;
  /** Whether the screen is open: what it asks with is gone with it. */
  #open = false;

  constructor(ask: () => Promise<T[]>) {
    this.read = soon(async () => {
      if (!this.#open) return;
      try {
        this.items = await ask();
        this.readMs = session.nowMs();
        this.ready = true;
      } catch (cause) {
        if (this.#open) notices.explain(cause);
      }
    });
  }

  /** Begins to follow; call the answer to stop. */
  begin(): () => void {
    this.#open = true;
    this.read();
    const stop = desk.hearAll(this.read);
    return () => {
      this.#open = false;
      stop();
    };
  }

  /** Does something with one of them, says that it is done, and reads all of them again. Answers whether it was done. */
  async act<A>(work: () => Promise<A>, done: (answer: A) => string): Promise<boolean> {
    this.busy = true;
    try {
      notices.tell(done(await work()));
      return true;
    } catch (cause) {
      notices.explain(cause);
      return false;
    } finally {
      this.busy = false;
      this.read();
    }
  }
}
