// Which tokens the board shows, and which of them have just been called.
import type { Board, BoardCall } from '../lib/shapes';

/** Newest first; of two called at once the one with the smaller token. */
export function newestFirst(board: Board): BoardCall[] {
  return board.called.toSorted(
    (a, b) => Date.parse(b.called_at) - Date.parse(a.called_at) || a.token.localeCompare(b.token),
  );
}

/** Called, or called again, since the board was read before. Nothing is new on the first reading. */
export function justCalled(before: Board | null, now: Board): string[] {
  if (before === null) return [];
  const known = new Map(before.called.map((call) => [call.token, call.calls]));
  return now.called.filter((call) => call.calls > (known.get(call.token) ?? 0)).map((call) => call.token);
}
