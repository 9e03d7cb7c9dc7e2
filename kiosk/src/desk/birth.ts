// Birth dates as people write them, of which day and month may be unknown.

/**
 * A birth date as people write it: `1984`, `5/1984`, `2/5/1984`, `02-05-1984`, `1984-05-02` or `02051984`.
 * Day before month, as on the forms of every country the desk speaks the languages of. Null if it is none of these.
 */
export function birthOf(text: string): string | null {
  const trimmed = text.trim();
  const solid = /^(\d{2})(\d{2})(\d{4})$/.exec(trimmed);
  const parts = solid ? solid.slice(1) : trimmed.split(/[-/. ]+/);
  if (!parts.every((part) => /^\d{1,4}$/.test(part)) || parts.length > 3) return null;
  if (parts[0]?.length !== 4) parts.reverse();
  const [year = '', month, day] = parts;
  if (!/^(18|19|20)\d{2}$/.test(year)) return null;
  if (month === undefined) return year;
  if (Number(month) < 1 || Number(month) > 12) return null;
  const yearMonth = `${year}-${month.padStart(2, '0')}`;
  if (day === undefined) return yearMonth;
  const whole = `${yearMonth}-${day.padStart(2, '0')}`;
  // `Date` turns 31 February into March; only a real day comes out as it went in.
  const real = new Date(`${whole}T00:00:00Z`);
  return !Number.isNaN(real.getTime()) && real.toISOString().startsWith(whole) ? whole : null;
}
