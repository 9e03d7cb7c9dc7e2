// Which command a key means on the desk.
// Invariant: no single letter does anything while somebody is typing, or when single keys are switched off.

export type Command =
  | 'search'
  | 'new'
  | 'book'
  | 'walk-in'
  | 'today'
  | 'earlier'
  | 'later'
  | 'check-in'
  | 'no-show'
  | 'move'
  | 'call-next'
  | 'undo'
  | 'help'
  | { column: number };

export interface Key {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

const LETTERS: Record<string, Command> = {
  '/': 'search',
  n: 'new',
  b: 'book',
  w: 'walk-in',
  t: 'today',
  ArrowLeft: 'earlier',
  ArrowRight: 'later',
  a: 'check-in',
  x: 'no-show',
  m: 'move',
  c: 'call-next',
  '?': 'help',
};

export function commandOf(key: Key, typing: boolean, singleKeys: boolean): Command | null {
  if (typing || key.altKey) return null;
  if (key.ctrlKey || key.metaKey) return key.key.toLowerCase() === 'z' ? 'undo' : null;
  if (!singleKeys) return null;
  if (/^[1-9]$/.test(key.key)) return { column: Number(key.key) };
  return LETTERS[key.key.length === 1 ? key.key.toLowerCase() : key.key] ?? null;
}

/** Whether letters typed there are text. */
export function takesText(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest('[role="menu"]') !== null)
  );
}
