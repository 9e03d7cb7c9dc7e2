// What the audit's own words are called on the screen. A word that is not here is shown as the box wrote it.
import { say, type Key } from './words.svelte';

const VERBS: Record<string, Key> = {
  read: 'did.read',
  list: 'did.list',
  add: 'did.add',
  create: 'did.create',
  register: 'did.register',
  edit: 'did.edit',
  relate: 'did.relate',
  unrelate: 'did.unrelate',
  merge: 'did.merge',
  undo_merge: 'did.undo_merge',
  dismiss_duplicate: 'did.dismiss_duplicate',
  book: 'did.book',
  hold: 'did.hold',
  move: 'did.move',
  confirm: 'did.confirm',
  arrive: 'did.arrive',
  check_in: 'did.check_in',
  no_show: 'did.no_show',
  complete: 'did.complete',
  cancel: 'did.cancel',
  expire: 'did.expire',
  enter_in_error: 'did.enter_in_error',
  join: 'did.join',
  call: 'did.call',
  recall: 'did.recall',
  skip: 'did.skip',
  rejoin: 'did.rejoin',
  finish: 'did.finish',
  leave: 'did.leave',
  prioritise: 'did.prioritise',
  take: 'did.take',
  end: 'did.end',
  close: 'did.close',
  reopen: 'did.reopen',
  offer: 'did.offer',
  ask_to_pair: 'did.ask_to_pair',
  pair: 'did.pair',
  claim: 'did.claim',
  revoke: 'did.revoke',
  sign_in: 'did.sign_in',
  sign_in_failed: 'did.sign_in_failed',
  sign_out: 'did.sign_out',
  change_password: 'did.change_password',
  change_password_failed: 'did.change_password_failed',
  lend: 'did.lend',
  override: 'did.override',
  displace: 'did.displace',
  place: 'did.place',
};

/** Verbs that mean something else of a time that is lent. */
const OF_LOANS: Record<string, Key> = {
  ...VERBS,
  recall: 'did.ask_back',
};

const NOUNS: Record<string, Key> = {
  clinic: 'record.clinic',
  patient: 'record.patient',
  practitioner: 'record.practitioner',
  location: 'record.location',
  healthcare_service: 'record.healthcare_service',
  schedule: 'record.schedule',
  leave: 'record.leave',
  closed_day: 'record.closed_day',
  slot: 'record.slot',
  appointment: 'record.appointment',
  queue: 'record.queue',
  staff: 'record.staff',
  session: 'record.session',
  token: 'record.token',
  device: 'record.device',
  audit: 'record.audit',
  merge: 'record.merge',
  loan: 'record.loan',
};

const CHANNELS: Record<string, Key> = {
  desk: 'channel.desk',
  kiosk: 'channel.kiosk',
  api: 'channel.api',
  'command-line': 'channel.command-line',
  hub: 'channel.hub',
  whatsapp: 'channel.whatsapp',
  sms: 'channel.sms',
  voice: 'channel.voice',
  'voice-agent': 'channel.voice-agent',
  email: 'channel.email',
};

export function verbWord(verb: string, noun: string): string {
  return said(noun === 'loan' ? OF_LOANS : VERBS, verb);
}

export function nounWord(noun: string): string {
  return said(NOUNS, noun);
}

export function channelWord(channel: string): string {
  return said(CHANNELS, channel);
}

function said(words: Record<string, Key>, word: string): string {
  const key = words[word];
  return key ? say(key) : word;
}
