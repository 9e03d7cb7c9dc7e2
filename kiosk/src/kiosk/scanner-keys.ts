// Tells a USB scanner, which types like a keyboard, from a person's fingers: by the time between two keys.
// Invariant: a key of a scan is never also a person's key, and the other way round. For that each key is held
//   back for as long as a scanner takes to the next one.

import { isVisitCode } from '../lib/visit-code';

const BETWEEN_KEYS_MS = 35;
/** A scan without Enter at its end is over when nothing came for so long. */
const SCAN_OVER_MS = 120;
const SCAN_LENGTH_MIN = 6;
const SCAN_LENGTH_MAX = 8_192;

export interface Heard {
  /** A person pressed it. */
  key: (key: string) => void;
  scan: (text: string) => void;
}

export class ScannerKeys {
  #burst: string[] = [];
  #last = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #heard: Heard;

  constructor(heard: Heard) {
    this.#heard = heard;
  }

  /** Takes a key at its time stamp; true when it belongs to a scan and must not act on the screen. */
  press(key: string, at: number): boolean {
    const quick = at - this.#last < BETWEEN_KEYS_MS;
    this.#last = at;
    clearTimeout(this.#timer);
    if (!quick) this.#settle();
    if (key === 'Enter') {
      const wasScan = this.#burst.length >= SCAN_LENGTH_MIN;
      this.#settle(true);
      return wasScan;
    }
    if (key.length !== 1) return this.#burst.length > 1;
    if (this.#burst.length < SCAN_LENGTH_MAX) this.#burst.push(key);
    const wait = this.#burst.length > 1 ? SCAN_OVER_MS : BETWEEN_KEYS_MS;
    this.#timer = setTimeout(() => this.#settle(), wait);
    return this.#burst.length > 1;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#burst = [];
  }

  #settle(ended = false): void {
    const burst = this.#burst;
    this.#burst = [];
    const text = burst.join('');
    const ours = isVisitCode(text);
    if (burst.length >= SCAN_LENGTH_MIN && (ended || ours)) this.#heard.scan(text);
    // Two or three quick keys are a nimble person.
    else if (burst.length < SCAN_LENGTH_MIN) burst.forEach((key) => this.#heard.key(key));
  }
}
