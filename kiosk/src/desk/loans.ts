// What is said of a time that is lent to the cloud, and what is done about it.
import type { Loan } from '../lib/shapes';
import { post } from './box';
import { dateOf, showDate, showTime } from './clock';
import { say, words, type Key } from './words.svelte';

const SENTENCES: Record<Loan['status'], Key> = {
  granted: 'loan.held',
  held: 'loan.held',
  recalled: 'loan.recalled',
  sold: 'loan.sold',
  unknown: 'loan.unknown',
};

/** Whether nobody has asked for it yet, and it may be had. */
export function isAskable({ status }: Loan): boolean {
  return status === 'granted' || status === 'held';
}

/** How it stands, in a sentence. */
export function sentenceOf(loan: Loan, nowMs: number): string {
  const isOver = isAskable(loan) && Date.parse(loan.sell_until) <= nowMs;
  const until = `${showDate(dateOf(loan.sell_until), words.locale)}, ${showTime(loan.sell_until, words.locale)}`;
  return say(isOver ? 'loan.over' : SENTENCES[loan.status], { until });
}

/** Asks the cloud for it. */
export function askBack(loan: Loan): Promise<unknown> {
  return post('loans/{id}/recall', { path: { id: loan.id } });
}

/** Takes it without the cloud. */
export function take(loan: Loan, reason: string): Promise<unknown> {
  return post('loans/{id}/override', { path: { id: loan.id }, body: { reason } });
}
