// Work that follows a burst of changes once, a moment after the last; and never twice at a time.

const WAIT_MS = 150;
/** A stream of changes that never pauses still gets an answer this often. */
const AT_LEAST_EVERY_MS = 1_000;

export function soon(work: () => Promise<void>, waitMs = WAIT_MS): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = false;
  let again = false;
  let firstAsked = 0;

  const run = async () => {
    timer = undefined;
    firstAsked = 0;
    running = true;
    again = false;
    try {
      await work();
    } finally {
      running = false;
      if (again) ask();
    }
  };
  const ask = () => {
    if (running) {
      again = true;
      return;
    }
    const now = Date.now();
    firstAsked ||= now;
    clearTimeout(timer);
    timer = setTimeout(run, Math.max(0, Math.min(waitMs, firstAsked + AT_LEAST_EVERY_MS - now)));
  };
  return ask;
}
