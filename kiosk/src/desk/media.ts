// What media, states and intents are called, and how long WhatsApp lets the clinic write freely.
import type { Conversation, Medium, Message } from '../lib/shapes';
import type { IconName } from './icons';
import type { Key } from './words.svelte';

export const MEDIA: Record<Medium, { word: Key; icon: IconName }> = {
  whatsapp: { word: 'channel.whatsapp', icon: 'chat' },
  sms: { word: 'channel.sms', icon: 'text' },
  voice: { word: 'channel.voice', icon: 'phone' },
  'voice-agent': { word: 'channel.voice-agent', icon: 'phone' },
  email: { word: 'channel.email', icon: 'letter' },
};

type Sending = NonNullable<Message['sending']>;

export const STATES: Record<Sending['state'], Key> = {
  waiting: 'message.waiting',
  handed: 'message.handed',
  sent: 'message.sent',
  failed: 'message.failed',
  delivered: 'message.delivered',
  read: 'message.read',
  dropped: 'message.dropped',
};

/** What would become of a message that waits. */
export const JUDGEMENTS: Record<NonNullable<Message['would']>, Key> = {
  now: 'would.now',
  'not-before': 'would.not-before',
  quiet: 'would.quiet',
  stale: 'would.stale',
  'not-wanted': 'would.not-wanted',
};

/** What somebody wanted, by the words of reception. */
export const INTENTS: Record<string, Key> = {
  book: 'intent.book',
  move: 'intent.move',
  cancel: 'intent.cancel',
  confirm: 'intent.confirm',
  'cannot-come': 'intent.cannot-come',
  'running-late': 'intent.running-late',
  'my-appointments': 'intent.my-appointments',
  'where-in-queue': 'intent.where-in-queue',
  'check-in': 'intent.check-in',
  instructions: 'intent.instructions',
  faq: 'intent.faq',
  'join-waitlist': 'intent.join-waitlist',
  person: 'intent.person',
  stop: 'intent.stop',
  allow: 'intent.allow',
};

/** Whole minutes in which the clinic may still write freely by WhatsApp; null where nobody wrote by it. */
export function minutesLeft({ whatsapp_until }: Conversation, nowMs: number): number | null {
  if (whatsapp_until === null) return null;
  return Math.max(0, Math.floor((Date.parse(whatsapp_until) - nowMs) / 60_000));
}

/** The media by which words can go to somebody. */
export function writable({ addresses }: Conversation): Medium[] {
  const has = (family: string) => addresses.some((one) => one.family === family);
  const media: Medium[] = [];
  if (has('phone') || has('whatsapp')) media.push('whatsapp');
  if (has('phone')) media.push('sms');
  if (has('email')) media.push('email');
  return media;
}

/** Why the assistant answers as it does. */
export const REASONS: Record<string, Key> = {
  abuse: 'understood.abuse',
  call: 'understood.call',
  chosen: 'understood.chosen',
  code: 'understood.code',
  'desk-has-it': 'understood.desk-has-it',
  emergency: 'understood.emergency',
  'looked-up': 'understood.looked-up',
  'no-words': 'understood.no-words',
  'not-understood': 'understood.not-understood',
  'nothing-asked': 'understood.nothing-asked',
  'out-of-date': 'understood.out-of-date',
  proposed: 'understood.proposed',
  reminded: 'understood.reminded',
  start: 'understood.start',
  stop: 'understood.stop',
  words: 'understood.words',
};

/** Why the assistant gave a conversation to the desk. */
export const HANDED_OVER: Record<string, Key> = {
  asked: 'handed.asked',
  emergency: 'handed.emergency',
  'not-understood': 'handed.not-understood',
  'too-long': 'handed.too-long',
  'not-proven': 'handed.not-proven',
  'not-done': 'handed.not-done',
  away: 'handed.away',
  question: 'handed.question',
  late: 'handed.late',
  failed: 'handed.failed',
  'too-many': 'handed.too-many',
};

/** Why something did not arrive, by the words of the box and the hub, and by the codes of Meta and Twilio that are met most. */
export const FAILURES: Record<string, Key> = {
  'no-way-left': 'failure.no-way',
  'no-carrier': 'failure.no-carrier',
  no_channel: 'failure.no-carrier',
  'outside-window': 'failure.window',
  outside_window: 'failure.window',
  '131047': 'failure.window',
  '63016': 'failure.window',
  stale: 'failure.stale',
  'not-wanted': 'failure.not-wanted',
  withdrawn: 'failure.withdrawn',
  replaced: 'failure.replaced',
  not_writable: 'failure.not-writable',
  '131026': 'failure.not-reached',
  '63003': 'failure.not-reached',
  '30003': 'failure.no-sms',
  '30005': 'failure.no-sms',
  '30006': 'failure.no-sms',
  '21614': 'failure.no-sms',
  '21635': 'failure.no-sms',
  '21610': 'failure.not-wanted',
  '132001': 'failure.template',
};
