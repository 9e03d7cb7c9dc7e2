// The kiosk on its own: by phone, by a scanner that types, without a booking, in every language, and left alone.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertWell, keepPicture, openBrowser } from './browser.mjs';
import { addPractitioner, book, openClinic } from './clinic.mjs';
import { beginByPhone, openPaired, touch, touchDigits, wordsOf } from './people.mjs';

const EN = wordsOf('kiosk');
/** Whatever is touched is at least as large as this. */
const TARGET_PX_MIN = 64;
const FAMILY_PHONE = '9844111174';

let clinic;
let browser;
let family;

before(async () => {
  clinic = await openClinic();
  browser = await openBrowser();
  const doctor = await addPractitioner(clinic.api, 'Dr. Meenakshi Iyer');
  const other = await addPractitioner(clinic.api, 'Dr. Arjun Gowda', { room: 'Room 2', specialties: ['paediatrics'] });
  family = [
    await book(clinic, doctor, '15:00', { name: 'Ravi Shankar Kumar', phone: FAMILY_PHONE, birth_date: '1979-03-14' }),
    await book(clinic, other, '15:30', { name: 'Meena Kumar', phone: FAMILY_PHONE, birth_date: '1979-11-02' }),
  ];
});

after(async () => {
  await browser?.close();
  await clinic?.close();
});

for (const language of ['en', 'hi', 'kn', 'ta']) {
  test(`a family that shares a phone finds its booking by initials (${language})`, async () => {
    const words = wordsOf('kiosk', language);
    const page = await openPaired(browser, clinic, 'kiosk');
    const well = async (name) => {
      await assertWell(page);
      await assertRoomy(page);
      await keepPicture(page, `kiosk-${language}-${name}`);
    };

    await page.locator(`.card[lang=${language}]`).waitFor();
    await well('1-attract');
    await page.locator(`.card[lang=${language}]`).click();
    await page.getByRole('heading', { name: words.start_title }).waitFor();
    await well('2-start');
    await touch(page, words.back);

    await beginByPhone(page, words, language, FAMILY_PHONE);
    await touchDigits(page, '1979');
    await well('3-birth');
    await page.getByTestId('next').click();
    await page.getByRole('heading', { name: words.choose_title }).waitFor();
    const offered = await page.getByRole('main').innerText();
    match(offered, /R S K/);
    match(offered, /M K/);
    ok(!/Ravi|Meena Kumar|Shankar/.test(offered), 'initials only');
    await well('4-choose');

    await page.locator('.card').filter({ hasText: 'R S K' }).click();
    await page.getByRole('heading', { name: words.confirm_title }).waitFor();
    await well('5-confirm');
    await touch(page, words.confirm_yes);
    await page.getByRole('heading', { name: words.ticket_title }).waitFor();
    const token = await page.getByTestId('token').innerText();
    await well('6-token');
    // Whoever comes again, in whatever language, gets the token again.
    const entry = (await clinic.api.get('queue')).items.find(({ appointment_id: id }) => id === family[0].id);
    equal(token, entry.token);

    await touch(page, words.help);
    await page.getByRole('heading', { name: words.help_title }).waitFor();
    await well('7-help');
    await page.context().close();
  });
}

test('unknown and not fitting are told in the same words, and the third try ends in a token of the desk', async () => {
  const page = await openPaired(browser, clinic, 'kiosk');
  const said = [];
  await beginByPhone(page, EN, 'en', FAMILY_PHONE);
  // The number is known and the year does not fit.
  await touchDigits(page, '1955');
  await page.getByTestId('next').click();
  await page.getByText(EN.notice_not_found).waitFor();
  said.push(await page.getByRole('main').innerText());
  await assertWell(page);
  await keepPicture(page, 'kiosk-not-found');
  // Nobody has this number.
  await touch(page, EN.clear);
  await touchDigits(page, '9000000017');
  await page.getByTestId('next').click();
  await touchDigits(page, '1979');
  await page.getByTestId('next').click();
  await page.getByText(EN.notice_not_found).waitFor();
  said.push(await page.getByRole('main').innerText());
  const withoutDigits = (text) => text.replaceAll(/\d/g, '').replaceAll(/\s+/g, ' ');
  equal(withoutDigits(said[0]), withoutDigits(said[1]));

  await page.getByTestId('next').click();
  await touchDigits(page, '1980');
  await page.getByTestId('next').click();
  await page.getByRole('heading', { name: EN.ticket_desk_title }).waitFor();
  match(await page.getByTestId('token').innerText(), /^D-\d{3}$/);
  await assertWell(page);
  await assertRoomy(page);
  await keepPicture(page, 'kiosk-desk-token');
  await page.context().close();
});

test('whoever walks away is asked first and then forgotten', async () => {
  const page = await openPaired(browser, clinic, 'kiosk');
  await page.locator('.card[lang=hi]').waitFor();
  await page.clock.install();
  // Begun anew under the test's clock; the pairing stays.
  await page.reload();
  const words = wordsOf('kiosk', 'hi');
  await beginByPhone(page, words, 'hi', FAMILY_PHONE);
  await touchDigits(page, '19');
  await page.clock.runFor(29_000);
  await page.getByRole('heading', { name: words.birth_title }).waitFor();
  await page.clock.runFor(2_000);
  await page.getByRole('heading', { name: words.still_title }).waitFor();
  equal(await page.locator('.place').count(), 0, 'the warning hides what was typed');
  await assertWell(page);
  await assertRoomy(page);
  await keepPicture(page, 'kiosk-still-there');

  await touch(page, words.still_here);
  await page.getByRole('heading', { name: words.birth_title }).waitFor();
  equal(await page.locator('.place.filled').count(), 2, 'nothing is lost for whoever is still there');

  await page.clock.runFor(31_000);
  await page.getByRole('heading', { name: words.still_title }).waitFor();
  await page.clock.runFor(21_000);
  await page.getByRole('heading', { name: EN.attract_title }).waitFor();
  await page.locator('.card[lang=en]').click();
  await touch(page, EN.start_booking);
  await page.getByRole('heading', { name: EN.phone_title }).waitFor();
  equal(await page.locator('.place.filled').count(), 0, 'the next person finds nothing of the last');
  await page.context().close();
});

test('a scanner that types is heard on any screen, and its letters are nobody’s digits', async () => {
  const page = await openPaired(browser, clinic, 'kiosk');
  const { qr } = await clinic.api.get(`appointments/${family[1].id}`);
  await page.locator('.card[lang=kn]').click();
  const words = wordsOf('kiosk', 'kn');
  await page.getByRole('heading', { name: words.start_title }).waitFor();
  await scan(page, qr);
  await page.getByRole('heading', { name: words.birth_title }).waitFor();
  equal(await page.locator('.place.filled').count(), 0);
  // A person types the year on a keyboard: slower than any scanner.
  await page.keyboard.type('1979', { delay: 150 });
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: words.confirm_title }).waitFor();
  match(await page.getByRole('main').innerText(), /M K/);
  await page.context().close();
});

test('a code that is not signed by this clinic leads on to the phone number', async () => {
  const page = await openPaired(browser, clinic, 'kiosk');
  await page.locator('.card[lang=en]').click();
  await page.getByRole('heading', { name: EN.start_title }).waitFor();
  const { qr } = await clinic.api.get(`appointments/${family[1].id}`);
  await scan(page, `${qr.slice(0, -1)}${qr.endsWith('0') ? '1' : '0'}`);
  await page.getByText(EN.notice_not_found).waitFor();
  await page.getByRole('heading', { name: EN.phone_title }).waitFor();
  await page.context().close();
});

test('without a booking a known patient gets a token of the doctor, an unknown one a token of the desk', async () => {
  await clinic.api.post('patients', { name: 'Farida Sheikh', phone: '9844111190', birth_date: '1991', accept_duplicate: true });
  const page = await openPaired(browser, clinic, 'kiosk');
  const walkIn = async (phone) => {
    await page.locator('.card[lang=en]').click();
    await touch(page, EN.start_walk_in);
    await page.getByRole('heading', { name: EN.who_title }).waitFor();
    await assertWell(page);
    await assertRoomy(page);
    await keepPicture(page, 'kiosk-walk-in');
    await touch(page, 'Dr. Arjun Gowda');
    await page.getByRole('heading', { name: EN.phone_title }).waitFor();
    await touchDigits(page, phone);
    await page.getByTestId('next').click();
    await page.getByRole('heading', { name: EN.birth_title }).waitFor();
    await touchDigits(page, '1991');
    await page.getByTestId('next').click();
    return page.getByTestId('token').innerText();
  };
  match(await walkIn('9844111190'), /^[A-C]-\d{3}$/);
  ok((await page.getByRole('main').innerText()).includes('Room 2'));
  await touch(page, EN.ticket_done);
  match(await walkIn('9000000018'), /^D-\d{3}$/);
  await page.context().close();
});

/** The keys of a USB scanner: all at once, as no finger types, and Enter. */
function scan(page, text) {
  return page.evaluate((keys) => {
    for (const key of keys) {
      for (const type of ['keydown', 'keyup']) {
        document.activeElement.dispatchEvent(new KeyboardEvent(type, { key, bubbles: true, cancelable: true }));
      }
    }
  }, [...text, 'Enter']);
}

/** Fingers find every button, and nothing is cut off or has to be scrolled to sideways. */
async function assertRoomy(page) {
  const found = await page.evaluate((least) => {
    const small = [...document.querySelectorAll('button')].flatMap((button) => {
      const { width, height } = button.getBoundingClientRect();
      return width < least || height < least ? [`${button.textContent.trim()}: ${width} × ${height}`] : [];
    });
    const cut = [...document.querySelectorAll('button')].filter((it) => it.scrollWidth > it.clientWidth + 1);
    const main = document.querySelector('main');
    return {
      small,
      cut: cut.map((it) => it.textContent.trim()),
      scrolls: main.scrollHeight > main.clientHeight + 1 || document.documentElement.scrollWidth > innerWidth,
    };
  }, TARGET_PX_MIN);
  deepEqual(found, { small: [], cut: [], scrolls: false });
}
