// One person's visit to the kiosk, from the first touch to the token: which screen comes after what.
// Pure: no clock, no network, no storage. What is to be asked of the box is the screen `working` with its `ask`.
// Invariant: every screen leads on; whatever fails ends in a token for the front desk, and if even that fails,
//   in the sentence that sends the person to the desk.
// Invariant: "unknown" and "does not match" lead to the same screen with the same words.
import type { Match, MatchAnswer, PractitionerToday, Ticket } from '../lib/shapes';
import type { Code } from './code';

export const TRIES_MAX = 3;
export const PHONE_DIGITS_MIN = 7;
export const PHONE_DIGITS_MAX = 15;
const OLDEST_YEAR = 1900;

export type Errand =
  | { path: 'booking' }
  | { path: 'walk-in'; practitioner: string | null; practitioners: PractitionerToday[] };

export type Proof = { by: 'qr'; qr: string } | { by: 'phone'; digits: string };

export type Notice = 'camera_off' | 'not_ours' | 'not_found' | 'phone_short' | 'birth_odd' | 'prefilled';

/** What the box is asked. Holds all that is needed to show the question again after a refusal. */
export type Ask =
  | { kind: 'code'; qr: string }
  | { kind: 'match'; proof: Proof; birth: string }
  | { kind: 'check_in'; choice: string }
  | { kind: 'practitioners' }
  | { kind: 'walk_in'; errand: Errand & { path: 'walk-in' }; digits: string; birth: string }
  | { kind: 'desk' };

export type Answer =
  | { kind: 'code' | 'match'; answer: MatchAnswer }
  | { kind: 'practitioners'; practitioners: PractitionerToday[] }
  | { kind: 'check_in' | 'walk_in' | 'desk'; ticket: Ticket };

interface PhoneScreen {
  at: 'phone';
  errand: Errand;
  digits: string;
  /** From a card, to be shown when the birth is asked; digits like those of `birth`. */
  birth: string;
  notice: Notice | null;
}

interface BirthScreen {
  at: 'birth';
  errand: Errand;
  proof: Proof;
  /** Four digits of the year, or with `whole` eight: day, month, year. */
  digits: string;
  whole: boolean;
  notice: Notice | null;
}

/** A screen that asks the person something. */
export type Question =
  | { at: 'start' }
  | { at: 'scan'; notice: Notice | null }
  | PhoneScreen
  | BirthScreen
  | { at: 'who'; practitioners: PractitionerToday[] }
  | { at: 'choose'; people: Match[] }
  | { at: 'confirm'; person: Match; people: Match[] };

/** What help and the choice of a language may lie over, and come back to. */
export type Shown = { at: 'attract' } | Question | { at: 'ticket'; ticket: Ticket } | { at: 'desk_only' };

export type Screen =
  | Shown
  | { at: 'working'; ask: Ask }
  | { at: 'help'; behind: Shown }
  | { at: 'language'; behind: Shown }
  | { at: 'still_there'; behind: Screen };

export interface Visit {
  /** Grows with every visit, so that an answer to the last person never reaches the next. */
  number: number;
  language: string;
  tries: number;
  screen: Screen;
}

export type Event =
  | { type: 'language_chosen'; language: string }
  | { type: 'language_asked' }
  | { type: 'has_booking' }
  | { type: 'has_none' }
  | { type: 'phone_preferred' }
  | { type: 'camera_off' }
  | { type: 'scanned'; code: Code }
  | { type: 'digit'; digit: string }
  | { type: 'erased' }
  | { type: 'cleared' }
  | { type: 'whole_date_toggled' }
  | { type: 'next'; thisYear: number }
  | { type: 'practitioner_chosen'; id: string | null }
  | { type: 'person_chosen'; person: Match }
  | { type: 'confirmed' }
  | { type: 'desk_asked' }
  | { type: 'help_asked' }
  | { type: 'back' }
  | { type: 'idle' }
  | { type: 'still_here' }
  | { type: 'wiped' }
  | { type: 'answered'; visit: number; answer: Answer }
  | { type: 'refused'; visit: number; code: string };

export function freshVisit(number: number, language: string): Visit {
  return { number, language, tries: 0, screen: { at: 'attract' } };
}

/** `language` is the clinic's first one: the visit after this begins in it. */
export function step(visit: Visit, event: Event, language: string): Visit {
  const { screen } = visit;
  const show = (next: Screen): Visit => ({ ...visit, screen: next });

  switch (event.type) {
    case 'wiped':
      return freshVisit(visit.number + 1, language);
    case 'language_chosen': {
      const behind = screen.at === 'language' ? screen.behind : screen;
      return { ...visit, language: event.language, screen: behind.at === 'attract' ? { at: 'start' } : behind };
    }
    case 'language_asked':
    case 'help_asked': {
      const at = event.type === 'help_asked' ? 'help' : 'language';
      const behind = shownIn(screen);
      return behind ? show({ at, behind }) : visit;
    }
    case 'desk_asked':
      return show({ at: 'working', ask: { kind: 'desk' } });
    case 'idle':
      return mayLapse(screen) ? show({ at: 'still_there', behind: screen }) : visit;
    case 'still_here':
      return screen.at === 'still_there' ? show(screen.behind) : visit;
    case 'back':
      return show(before(screen));
    case 'has_booking':
      return show({ at: 'scan', notice: null });
    case 'has_none':
      return show({ at: 'working', ask: { kind: 'practitioners' } });
    case 'phone_preferred':
      return show(phone({ path: 'booking' }));
    case 'camera_off':
      return screen.at === 'scan' ? show(phone({ path: 'booking' }, { notice: 'camera_off' })) : visit;
    case 'scanned':
      return scanned(visit, event.code, language);
    case 'digit':
    case 'erased':
    case 'cleared':
      return typed(visit, event);
    case 'whole_date_toggled':
      return screen.at === 'birth' ? show({ ...screen, whole: !screen.whole, digits: '', notice: null }) : visit;
    case 'next':
      return onwards(visit, event.thisYear);
    case 'practitioner_chosen':
      return screen.at === 'who'
        ? show(phone({ path: 'walk-in', practitioner: event.id, practitioners: screen.practitioners }))
        : visit;
    case 'person_chosen':
      return screen.at === 'choose' ? show({ at: 'confirm', person: event.person, people: screen.people }) : visit;
    case 'confirmed':
      return screen.at === 'confirm'
        ? show({ at: 'working', ask: { kind: 'check_in', choice: screen.person.choice } })
        : visit;
    case 'answered':
      return event.visit === visit.number && screen.at === 'working' ? answered(visit, screen.ask, event.answer) : visit;
    case 'refused':
      return event.visit === visit.number && screen.at === 'working' ? refused(visit, screen.ask, event.code) : visit;
  }
}

/** Whether the screen holds something of a person who may have walked away. */
export function mayLapse(screen: Screen): boolean {
  return isQuestion(screen) || screen.at === 'help' || screen.at === 'language';
}

/** The birth as the box wants it, `1984` or `1984-05-02`; null when no such day can be. */
export function birthOf(digits: string, whole: boolean, thisYear: number): string | null {
  const year = Number(whole ? digits.slice(4) : digits);
  if (digits.length !== (whole ? 8 : 4) || year < OLDEST_YEAR || year > thisYear) return null;
  if (!whole) return digits;
  const [day, month] = [Number(digits.slice(0, 2)), Number(digits.slice(2, 4))];
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.toISOString().slice(0, 10) : null;
}

/** What would be on the screen without help, languages and warnings over it; null while the box is asked. */
function shownIn(screen: Screen): Shown | null {
  switch (screen.at) {
    case 'help':
    case 'language':
      return screen.behind;
    case 'still_there':
      return shownIn(screen.behind);
    case 'working':
      return null;
    case 'attract':
    case 'ticket':
    case 'desk_only':
    case 'start':
    case 'scan':
    case 'phone':
    case 'birth':
    case 'who':
    case 'choose':
    case 'confirm':
      return screen;
  }
}

function isQuestion(screen: Screen): screen is Question {
  switch (screen.at) {
    case 'start':
    case 'scan':
    case 'phone':
    case 'birth':
    case 'who':
    case 'choose':
    case 'confirm':
      return true;
    case 'attract':
    case 'working':
    case 'ticket':
    case 'desk_only':
    case 'help':
    case 'language':
    case 'still_there':
      return false;
  }
}

function phone(errand: Errand, given: Partial<PhoneScreen> = {}): PhoneScreen {
  return { at: 'phone', errand, digits: '', birth: '', notice: null, ...given };
}

function before(screen: Screen): Screen {
  switch (screen.at) {
    case 'phone':
      return screen.errand.path === 'walk-in'
        ? { at: 'who', practitioners: screen.errand.practitioners }
        : { at: 'start' };
    case 'birth':
      return screen.proof.by === 'phone' ? phone(screen.errand, { digits: screen.proof.digits }) : { at: 'start' };
    case 'confirm':
      return screen.people.length > 1 ? { at: 'choose', people: screen.people } : { at: 'start' };
    case 'scan':
    case 'who':
    case 'choose':
      return { at: 'start' };
    case 'help':
    case 'language':
    case 'still_there':
      return screen.behind;
    case 'attract':
    case 'start':
      return { at: 'attract' };
    case 'working':
    case 'ticket':
    case 'desk_only':
      return screen;
  }
}

/** A code may come at any time, from the camera or from a scanner that types. */
function scanned(visit: Visit, code: Code, language: string): Visit {
  const { screen } = visit;
  if (screen.at === 'working') return visit;
  if (screen.at === 'still_there') return scanned({ ...visit, screen: screen.behind }, code, language);
  // Who scans while another's token or booking is shown is the next person.
  const another = ['ticket', 'desk_only', 'choose', 'confirm'].includes(screen.at);
  const fresh = another ? freshVisit(visit.number + 1, language) : visit;
  const errand: Errand = screen.at === 'phone' || screen.at === 'birth' ? screen.errand : { path: 'booking' };

  switch (code.kind) {
    case 'booking':
      return { ...fresh, screen: { at: 'working', ask: { kind: 'code', qr: code.qr } } };
    case 'card':
      return {
        ...fresh,
        screen: phone(errand, { digits: code.phone, birth: code.birthYear, notice: 'prefilled' }),
      };
    case 'unknown':
      return {
        ...fresh,
        screen: screen.at === 'scan' ? { at: 'scan', notice: 'not_ours' } : phone(errand, { notice: 'not_ours' }),
      };
  }
}

function typed(visit: Visit, event: Event & { type: 'digit' | 'erased' | 'cleared' }): Visit {
  const { screen } = visit;
  if (screen.at !== 'phone' && screen.at !== 'birth') return visit;
  const most = screen.at === 'phone' ? PHONE_DIGITS_MAX : screen.whole ? 8 : 4;
  const digits =
    event.type === 'cleared'
      ? ''
      : event.type === 'erased'
        ? screen.digits.slice(0, -1)
        : (screen.digits + event.digit).slice(0, most);
  return { ...visit, screen: { ...screen, digits, notice: null } };
}

function onwards(visit: Visit, thisYear: number): Visit {
  const { screen } = visit;
  if (screen.at === 'phone') {
    if (screen.digits.length < PHONE_DIGITS_MIN) return { ...visit, screen: { ...screen, notice: 'phone_short' } };
    const proof: Proof = { by: 'phone', digits: screen.digits };
    const notice = screen.birth ? 'prefilled' : null;
    return {
      ...visit,
      screen: { at: 'birth', errand: screen.errand, proof, digits: screen.birth, whole: false, notice },
    };
  }
  if (screen.at !== 'birth') return visit;
  const birth = birthOf(screen.digits, screen.whole, thisYear);
  if (birth === null) return { ...visit, screen: { ...screen, notice: 'birth_odd' } };
  const { errand, proof } = screen;
  const ask: Ask =
    errand.path === 'walk-in' && proof.by === 'phone'
      ? { kind: 'walk_in', errand, digits: proof.digits, birth }
      : { kind: 'match', proof, birth };
  return { ...visit, screen: { at: 'working', ask } };
}

function answered(visit: Visit, ask: Ask, answer: Answer): Visit {
  switch (answer.kind) {
    case 'check_in':
    case 'walk_in':
    case 'desk':
      return { ...visit, screen: { at: 'ticket', ticket: answer.ticket } };
    case 'practitioners':
      return {
        ...visit,
        screen:
          answer.practitioners.length > 0
            ? { at: 'who', practitioners: answer.practitioners }
            : phone({ path: 'walk-in', practitioner: null, practitioners: [] }),
      };
    case 'code':
    case 'match': {
      if ('confirm_birth' in answer.answer) {
        if (ask.kind !== 'code') return refused(visit, ask, 'unexpected');
        return { ...visit, screen: birthFor(ask.qr, null) };
      }
      const { people } = answer.answer;
      const [only] = people;
      if (only === undefined) return refused(visit, ask, 'see_the_desk');
      return {
        ...visit,
        screen: people.length === 1 ? { at: 'confirm', person: only, people } : { at: 'choose', people },
      };
    }
  }
}

function refused(visit: Visit, ask: Ask, code: string): Visit {
  const toDesk: Visit = { ...visit, screen: { at: 'working', ask: { kind: 'desk' } } };
  switch (ask.kind) {
    case 'desk':
      return { ...visit, screen: { at: 'desk_only' } };
    case 'check_in':
    case 'practitioners':
      return toDesk;
    case 'walk_in':
      // The box could not read the number as one: the person may mend it.
      if (code !== 'invalid' || visit.tries + 1 >= TRIES_MAX) return toDesk;
      return {
        ...visit,
        tries: visit.tries + 1,
        screen: phone(ask.errand, { digits: ask.digits, notice: 'phone_short' }),
      };
    case 'code':
    case 'match': {
      const mayTryAgain = code === 'see_the_desk' || code === 'invalid';
      if (!mayTryAgain || visit.tries + 1 >= TRIES_MAX) return toDesk;
      const again: Screen =
        ask.kind === 'code'
          ? phone({ path: 'booking' }, { notice: 'not_found' })
          : ask.proof.by === 'qr'
            ? birthFor(ask.proof.qr, 'not_found')
            : phone({ path: 'booking' }, { digits: ask.proof.digits, notice: 'not_found' });
      return { ...visit, tries: visit.tries + 1, screen: again };
    }
  }
}

function birthFor(qr: string, notice: Notice | null): BirthScreen {
  return { at: 'birth', errand: { path: 'booking' }, proof: { by: 'qr', qr }, digits: '', whole: false, notice };
}
