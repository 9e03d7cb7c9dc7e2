// The board's copy of the queue: read again whenever the box says that it changed, and now and then in any case.
import { get, Problem } from '../lib/api';
import { listen } from '../lib/live';
import type { Board } from '../lib/shapes';
import { justCalled } from './calls';

const READ_ANYWAY_MS = 30_000;
/** While the live line is down. */
const READ_OFTEN_MS = 4_000;
/** After so long without an answer the board says that it may be wrong. */
const STALE_AFTER_MS = 20_000;
const STANDS_OUT_MS = 10_000;

export class LiveQueue {
  board = $state.raw<Board | null>(null);
  /** Tokens that stand out, because they were called a moment ago. */
  fresh = $state.raw<ReadonlySet<string>>(new Set());
  stale = $state(false);
  /** By how much the box's clock is ahead of this screen's. */
  ahead = $state(0);

  readonly #called: () => void;
  readonly #unpaired: () => void;
  #deaf: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #up = false;
  #reading = false;
  #again = false;
  #answered = performance.now();

  constructor(called: () => void, unpaired: () => void) {
    this.#called = called;
    this.#unpaired = unpaired;
  }

  start(): void {
    this.#deaf = listen({
      changed: (change) => change.noun === 'queue' && void this.#read(),
      missed: () => void this.#read(),
      line: (up) => {
        this.#up = up;
        void this.#read();
      },
    });
    void this.#read();
  }

  stop(): void {
    this.#deaf?.();
    clearTimeout(this.#timer);
  }

  /** One reading at a time; what comes meanwhile is one more reading after it. */
  async #read(): Promise<void> {
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#reading = true;
    clearTimeout(this.#timer);
    try {
      this.#take(await get('queue/board'));
    } catch (problem) {
      if (problem instanceof Problem && (problem.status === 401 || problem.status === 403)) this.#unpaired();
      this.stale = performance.now() - this.#answered > STALE_AFTER_MS;
    }
    this.#reading = false;
    const wait = this.#again ? 0 : this.#up && !this.stale ? READ_ANYWAY_MS : READ_OFTEN_MS;
    this.#again = false;
    this.#timer = setTimeout(() => void this.#read(), wait);
  }

  #take(board: Board): void {
    this.#answered = performance.now();
    this.stale = false;
    const called = justCalled(this.board, board);
    this.board = board;
    const now = Date.parse(board.now);
    if (Number.isFinite(now)) this.ahead = now - Date.now();
    if (called.length === 0) return;
    this.fresh = new Set([...this.fresh, ...called]);
    this.#called();
    setTimeout(() => {
      this.fresh = new Set([...this.fresh].filter((token) => !called.includes(token)));
    }, STANDS_OUT_MS);
  }
}
