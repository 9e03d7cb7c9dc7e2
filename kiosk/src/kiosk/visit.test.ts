import { describe, expect, it } from 'vitest';
import type { Match, Ticket } from '../lib/shapes';
import { birthOf, freshVisit, step, TRIES_MAX, type Answer, type Event, type Screen, type Visit } from './visit';

const THIS_YEAR = 2026;
const TOKEN: Ticket = {
  token: 'A-012',
  room: 'Room 1',
  ahead: 3,
  estimate_minutes: 20,
  appointment_id: null,
  practitioner: null,
  desk: false,
};
const ASHA: Match = {
  choice: 'opaque-1',
  initials: 'A R',
  masked_phone: '••••••1173',
  start: '2026-11-23T10:30:00+05:30',
  practitioner: 'Dr. Iyer',
  room: null,
  already_checked_in: false,
};

function after(events: Event[], visit: Visit = freshVisit(1, 'en')): Visit {
  return events.reduce((before, event) => step(before, event, 'en'), visit);
}
const digits = (text: string): Event[] => [...text].map((digit) => ({ type: 'digit', digit }));
const next: Event = { type: 'next', thisYear: THIS_YEAR };
const started: Event[] = [{ type: 'language_chosen', language: 'kn' }];
const byPhone: Event[] = [{ type: 'has_booking' }, { type: 'phone_preferred' }, ...digits('9844111173'), next];
const asked = [...started, ...byPhone, ...digits('1984'), next];
const answered = (answer: Answer): Event => ({ type: 'answered', visit: 1, answer });
const refused = (code: string): Event => ({ type: 'refused', visit: 1, code });

describe('a visit with a booking', () => {
  it('goes from the phone number and the year to the token', () => {
    const matched = after(asked);
    expect(matched.screen).toEqual({
      at: 'working',
      ask: { kind: 'match', proof: { by: 'phone', digits: '9844111173' }, birth: '1984' },
    });
    const found = after([answered({ kind: 'match', answer: { people: [ASHA] } })], matched);
    expect(found.screen).toMatchObject({ at: 'confirm', person: ASHA });
    const confirmed = after([{ type: 'confirmed' }], found);
    expect(confirmed.screen).toEqual({ at: 'working', ask: { kind: 'check_in', choice: 'opaque-1' } });
    expect(after([answered({ kind: 'check_in', ticket: TOKEN })], confirmed).screen).toEqual({ at: 'ticket', ticket: TOKEN });
  });

  it('asks which of a family it is, and comes back to that question', () => {
    const people = [ASHA, { ...ASHA, choice: 'opaque-2', initials: 'M R' }];
    const chosen = after([
      ...asked,
      answered({ kind: 'match', answer: { people } }),
      { type: 'person_chosen', person: people[1] as Match },
    ]);
    expect(chosen.screen).toMatchObject({ at: 'confirm', person: { choice: 'opaque-2' } });
    expect(after([{ type: 'back' }], chosen).screen).toEqual({ at: 'choose', people });
  });

  it('begins with a scan from the attract screen and asks for the year of birth', () => {
    const scanned = after([{ type: 'scanned', code: { kind: 'booking', qr: 'CP1:X' } }]);
    expect(scanned.screen).toEqual({ at: 'working', ask: { kind: 'code', qr: 'CP1:X' } });
    const good = after([answered({ kind: 'code', answer: { confirm_birth: true } })], scanned);
    expect(good.screen).toMatchObject({ at: 'birth', proof: { by: 'qr', qr: 'CP1:X' } });
  });
});

describe('a refusal', () => {
  const again = [...digits('1'), { type: 'erased' } as Event, next, ...digits('1984'), next];

  it('shows the same screen for a person who is unknown and for one who does not match', () => {
    const unknown = after([...asked, refused('see_the_desk')]).screen;
    const nobody = after([...asked, answered({ kind: 'match', answer: { people: [] } })]).screen;
    expect(unknown).toEqual(nobody);
    expect(unknown).toMatchObject({ at: 'phone', digits: '9844111173', notice: 'not_found' });
  });

  it(`ends in a desk token after ${TRIES_MAX} tries`, () => {
    let visit = after([...asked, refused('see_the_desk')]);
    for (let tries = 1; tries < TRIES_MAX; tries++) {
      expect(visit.screen.at).toBe('phone');
      visit = after([...again, refused('see_the_desk')], visit);
    }
    expect(visit.screen).toEqual({ at: 'working', ask: { kind: 'desk' } });
  });

  it.each(['unreachable', 'busy', 'too_many_tries', 'unexpected', 'forbidden'])('of the kind %s asks for a desk token', (code) => {
    expect(after([...asked, refused(code)]).screen).toEqual({ at: 'working', ask: { kind: 'desk' } });
  });

  it('of the desk token itself sends the person to the desk', () => {
    expect(after([...asked, refused('unreachable'), refused('unreachable')]).screen).toEqual({ at: 'desk_only' });
  });

  it('of a code asks for the phone number instead', () => {
    const scanned = after([{ type: 'scanned', code: { kind: 'booking', qr: 'CP1:FALSE' } }, refused('see_the_desk')]);
    expect(scanned.screen).toMatchObject({ at: 'phone', notice: 'not_found' });
  });
});

describe('a walk-in', () => {
  it('chooses whom to see, then gives phone and year', () => {
    const practitioner = { id: 'p1', name: 'Dr. Nair', specialties: [], room: null, ahead: 0, estimate_minutes: null };
    const visit = after([
      ...started,
      { type: 'has_none' },
      answered({ kind: 'practitioners', practitioners: [practitioner] }),
      { type: 'practitioner_chosen', id: 'p1' },
      ...digits('9844111173'),
      next,
      ...digits('1984'),
      next,
    ]);
    expect(visit.screen).toMatchObject({
      at: 'working',
      ask: { kind: 'walk_in', digits: '9844111173', birth: '1984', errand: { practitioner: 'p1' } },
    });
  });
});

describe('privacy', () => {
  it('wipes everything that was entered, and the language', () => {
    expect(after([...asked, { type: 'wiped' }])).toEqual(freshVisit(2, 'en'));
  });

  it('never shows the answer for the last person to the next', () => {
    const wiped = after([...asked, { type: 'wiped' }, { type: 'has_none' }]);
    expect(after([answered({ kind: 'check_in', ticket: TOKEN })], wiped).screen.at).toBe('working');
  });

  it('warns before it wipes, and goes back to the same question by one touch', () => {
    const before = after([...started, ...byPhone]);
    const warned = after([{ type: 'idle' }], before);
    expect(warned.screen.at).toBe('still_there');
    expect(after([{ type: 'still_here' }], warned).screen).toEqual(before.screen);
  });

  it('treats a scan beside the token of another as the next person', () => {
    const done = after([...asked, answered({ kind: 'match', answer: { people: [ASHA] } })]);
    const other = after([{ type: 'scanned', code: { kind: 'booking', qr: 'CP1:Y' } }], done);
    expect(other).toMatchObject({ number: 2, language: 'en', tries: 0 });
  });
});

describe('a card', () => {
  it('fills in the phone number and later the year, and both are shown', () => {
    const card = after([{ type: 'scanned', code: { kind: 'card', phone: '9844111173', birthYear: '1984' } }]);
    expect(card.screen).toMatchObject({ at: 'phone', digits: '9844111173', notice: 'prefilled' });
    expect(after([next], card).screen).toMatchObject({ at: 'birth', digits: '1984', notice: 'prefilled' });
  });

  it('that is not ours leaves the camera looking, with a sentence', () => {
    const visit = after([...started, { type: 'has_booking' }, { type: 'scanned', code: { kind: 'unknown' } }]);
    expect(visit.screen).toEqual({ at: 'scan', notice: 'not_ours' });
  });
});

it('keeps what was entered when the camera is not there, the language changes or help is read', () => {
  expect(after([...started, { type: 'has_booking' }, { type: 'camera_off' }]).screen).toMatchObject({
    at: 'phone',
    notice: 'camera_off',
  });
  const before = after([...started, ...byPhone]);
  const changed = after([{ type: 'language_asked' }, { type: 'help_asked' }, { type: 'back' }], before);
  expect(changed.screen).toEqual(before.screen);
  expect(after([{ type: 'language_asked' }, { type: 'language_chosen', language: 'ta' }], before)).toEqual({
    ...before,
    language: 'ta',
  });
});

it('never gets stuck: from every screen the desk can be asked for', () => {
  const screens: Screen[] = [
    after(started).screen,
    after([...started, { type: 'has_booking' }]).screen,
    after([...started, ...byPhone]).screen,
    { at: 'choose', people: [ASHA] },
    { at: 'confirm', person: ASHA, people: [ASHA] },
    { at: 'who', practitioners: [] },
  ];
  for (const screen of screens) {
    const visit = after([{ type: 'help_asked' }, { type: 'desk_asked' }], { ...freshVisit(1, 'en'), screen });
    expect(visit.screen).toEqual({ at: 'working', ask: { kind: 'desk' } });
  }
});

describe('the birth', () => {
  it.each([
    ['1984', false, '1984'],
    ['2026', false, '2026'],
    ['2027', false, null],
    ['0984', false, null],
    ['198', false, null],
    ['02051984', true, '1984-05-02'],
    ['29022000', true, '2000-02-29'],
    ['29021900', true, null],
    ['31041984', true, null],
    ['00051984', true, null],
    ['0205198', true, null],
  ])('%s (whole: %s) is %s', (entered, whole, birth) => {
    expect(birthOf(entered, whole, THIS_YEAR)).toBe(birth);
  });
});
