// Puts what a visit wants to know to the box.
import { create, get, post, Problem } from '../lib/api';
import type { Given } from '../lib/paths';
import type { Page, PractitionerToday } from '../lib/shapes';
import type { Answer, Ask, Proof } from './visit';

/** A busy box is asked once more, if it wants no longer than this. */
const PATIENCE_S = 5;

/** Answers, or throws the `Problem`. */
export async function put(ask: Ask): Promise<Answer> {
  try {
    return await once(ask);
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.code !== 'busy' || (problem.retryAfter ?? 0) > PATIENCE_S) throw problem;
    await new Promise((over) => setTimeout(over, (problem.retryAfter ?? 1) * 1_000));
    return once(ask);
  }
}

async function once(ask: Ask): Promise<Answer> {
  switch (ask.kind) {
    case 'code':
      return { kind: 'code', answer: await post('check-ins/match', { body: { qr: ask.qr } }) };
    case 'match':
      return { kind: 'match', answer: await post('check-ins/match', { body: matching(ask.proof, ask.birth) }) };
    case 'check_in':
      return { kind: 'check_in', ticket: await create('check-ins', { body: { choice: ask.choice } }) };
    case 'practitioners': {
      const page: Page<PractitionerToday> = await get('check-ins/practitioners');
      return { kind: 'practitioners', practitioners: page.items };
    }
    case 'walk_in': {
      const body = { phone: ask.digits, birth_date: ask.birth };
      const wish = ask.errand.practitioner === null ? {} : { practitioner_id: ask.errand.practitioner };
      return { kind: 'walk_in', ticket: await create('check-ins/walk-in', { body: { ...body, ...wish } }) };
    }
    case 'desk':
      return { kind: 'desk', ticket: await create('check-ins/desk') };
  }
}

function matching(proof: Proof, birth: string): Given<'post', 'check-ins/match'>['body'] {
  if (proof.by === 'phone') return { phone: proof.digits, birth_date: birth };
  return birth.length === 4 ? { qr: proof.qr, birth_year: Number(birth) } : { qr: proof.qr, birth_date: birth };
}
