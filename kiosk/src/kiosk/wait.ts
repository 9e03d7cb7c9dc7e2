// How a waiting time is told: no more exactly than it is known.

/** Whole five minutes from ten on; null for "no estimate". Never rounded down, so that it is kept rather than missed. */
export function roundedWait(minutes: number | null): number | null {
  if (minutes === null || !Number.isFinite(minutes) || minutes < 0) return null;
  return minutes < 10 ? Math.ceil(minutes) : Math.ceil(minutes / 5) * 5;
}
