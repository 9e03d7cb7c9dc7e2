// How the sync with the cloud stands, as the box says it; asked again now and then, and soon after somebody changed something.
import type { Sync } from '../lib/shapes';
import { get, post } from './box';
import { dateOf, showDate, showTime } from './clock';
import { desk } from './desk.svelte';
import { soon } from './soon';
import { say, words, type Key } from './words.svelte';

const ASK_AGAIN_MS = 15_000;
/** The box gathers changes for half a second before it tells them. */
const AFTER_CHANGE_MS = 2_000;

const SENTENCES: Record<string, Key> = {
  alone: 'sync.alone',
  stopped: 'sync.stopped',
  refused: 'sync.refused',
  line_down: 'sync.line_down',
  hub_busy: 'sync.hub_busy',
  over_budget: 'sync.over_budget',
  beginning: 'sync.beginning',
  waiting: 'sync.waiting',
  told: 'sync.told',
};

class Standing {
  now = $state.raw<Sync | null>(null);

  /** Begins to ask; call the answer to stop. */
  begin(): () => void {
    const ask = () => void this.ask();
    const again = soon(() => this.ask(), AFTER_CHANGE_MS);
    const timer = setInterval(ask, ASK_AGAIN_MS);
    const stop = desk.hearAll(again);
    ask();
    return () => {
      clearInterval(timer);
      stop();
    };
  }

  async ask(): Promise<void> {
    try {
      this.now = await get('sync');
    } catch {
      // What is shown gets older; that the box does not answer is said elsewhere.
    }
  }

  /** Has the cloud told now. */
  async tell(): Promise<void> {
    this.now = await post('sync/now');
  }

  /** One sentence. */
  sentence(sync: Sync): string {
    const since = sync.waiting_since ?? sync.receipt_at ?? sync.hub?.enrolled_at ?? null;
    return say(SENTENCES[sync.condition] ?? 'sync.refused', {
      count: sync.waiting,
      since: since === null ? '' : showMoment(since),
      minutes: minutesAgo(sync.receipt_at),
      budget: showMegabytes(sync.budget_bytes ?? 0),
    });
  }
}

/** Bytes as megabytes, as people here write numbers. */
export function showMegabytes(bytes: number): string {
  return new Intl.NumberFormat(words.locale, { maximumFractionDigits: bytes < 10_000_000 ? 1 : 0 }).format(bytes / 1_000_000);
}

/** Whole minutes since a time; none at all for one that is ahead, or for no time. */
function minutesAgo(time: string | null): number {
  return time === null ? 0 : Math.max(0, Math.floor((desk.nowMs - Date.parse(time)) / 60_000));
}

/** A time of today by the clock, of another day with the day, of another year with the year. */
export function showMoment(time: string): string {
  const [clock, date, today] = [showTime(time, words.locale), dateOf(time), desk.today()];
  if (date === today) return clock;
  const style = date.slice(0, 4) === today.slice(0, 4) ? 'short' : 'day';
  return `${showDate(date, words.locale, style)}, ${clock}`;
}

/** The same of a moment in milliseconds since 1970. */
export function showMomentMs(ms: number): string {
  return showMoment(desk.wallOf(ms));
}

export const standing = new Standing();
