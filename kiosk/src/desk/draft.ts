// What a form holds of a record: what of it was touched, and what becomes of it when somebody else was faster.
// Invariant: a member that nobody touched is never in the change, so it cannot undo what another desk wrote.

/** The members in which two drafts differ. */
export function differences<Draft extends object>(a: Draft, b: Draft): (keyof Draft)[] {
  return (Object.keys(a) as (keyof Draft)[]).filter((member) => JSON.stringify(a[member]) !== JSON.stringify(b[member]));
}

/** The draft once another desk was faster: what was touched here stays, the rest becomes what was saved there. */
export function rebased<Draft extends object>(before: Draft, theirs: Draft, draft: Draft): Draft {
  return { ...theirs, ...changed(before, draft) };
}

/** Only these members of a draft. */
export function only<Draft extends object, Name extends keyof Draft>(draft: Draft, ...names: Name[]): Pick<Draft, Name> {
  const picked = Object.entries(draft).filter(([name]) => (names as unknown[]).includes(name));
  return Object.fromEntries(picked) as Pick<Draft, Name>;
}

/** What of the later one is another than before. */
export function changed<Draft extends object>(before: Draft, later: Draft): Partial<Draft> {
  const own: Partial<Draft> = {};
  for (const member of differences(before, later)) own[member] = later[member];
  return own;
}
