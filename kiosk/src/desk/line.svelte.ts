// Whether the box answers. While it does not, it is asked again and again; when it is back, those who wait are told.
import { get, Problem } from '../lib/api';

const ASK_AGAIN_MS = 3_000;

class Line {
  up = $state(true);
  /** When the box fell silent, by this machine's clock. */
  since = $state<number | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #back: (() => void)[] = [];

  /** Calls `work` each time the box is back after a silence. */
  whenBack(work: () => void): void {
    this.#back.push(work);
  }

  lost(): void {
    if (!this.up) return;
    this.up = false;
    this.since = Date.now();
    this.#wait();
  }

  answered(): void {
    if (this.up) return;
    this.up = true;
    this.since = null;
    clearTimeout(this.#timer);
    for (const work of this.#back) work();
  }

  /** Asks at once instead of at the next turn. */
  async ask(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      await get('clinic');
      this.answered();
    } catch (problem) {
      // A refusal is an answer, too.
      if (problem instanceof Problem && problem.status > 0) this.answered();
      else if (this.up) this.lost();
      else this.#wait();
    }
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.ask(), ASK_AGAIN_MS);
  }
}

export const line = new Line();
