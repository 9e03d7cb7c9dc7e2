// Hears from the box what changed, as it happens (server-sent events that follow the change log).
// Invariant: after a gap that may have lost events, `missed` is called once, before any later event.

const NOUNS = [
  'appointment',
  'queue',
  'patient',
  'practitioner',
  'schedule',
  'leave',
  'closed_day',
  'loan',
  'location',
  'healthcare_service',
  'device',
  'staff',
  'conversation',
  'message',
  'ticket',
  'waitlist',
  'faq',
  'template',
  'canned_answer',
  'patient_instruction',
  'reminder_rule',
] as const;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

export type Noun = (typeof NOUNS)[number];

export interface Change {
  noun: Noun;
  verb: string;
  id: string;
  version: number;
}

export interface Listener {
  changed: (change: Change) => void;
  /** Events may have been lost: read again whatever is on the screen. */
  missed: () => void;
  /** Whether the line is up; for the mark on the screen. */
  line?: (up: boolean) => void;
}

/** Listens until the function it returns is called. */
export function listen(listener: Listener, url = '/api/v1/prm/live'): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = FIRST_WAIT_MS;
  let gap = false;

  const open = () => {
    source = new EventSource(url);
    source.onopen = () => {
      wait = FIRST_WAIT_MS;
      listener.line?.(true);
      if (gap) listener.missed();
      gap = false;
    };
    source.onerror = () => {
      listener.line?.(false);
      // While it is CONNECTING the browser itself tries again and says the last id; CLOSED it never does,
      // and a new source begins without an id, so what lies between is lost.
      if (source?.readyState !== EventSource.CLOSED) return;
      gap = true;
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    };
    source.addEventListener('resync', () => listener.missed());
    for (const noun of NOUNS) {
      source.addEventListener(noun, (event) => {
        const change = changeOf(noun, event.data);
        if (change) listener.changed(change);
      });
    }
  };
  open();

  return () => {
    clearTimeout(timer);
    source?.close();
  };
}

export function changeOf(noun: Noun, text: unknown): Change | null {
  if (typeof text !== 'string') return null;
  try {
    const { verb, id, version } = JSON.parse(text) as Partial<Change>;
    if (typeof verb !== 'string' || typeof id !== 'string' || typeof version !== 'number') return null;
    return { noun, verb, id, version };
  } catch {
    return null;
  }
}
