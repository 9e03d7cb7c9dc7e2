// The whole day of one patient, through every screen: booked at the desk, checked in by the QR, called, seen.
import { equal, match, ok } from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { assertWell, keepPicture, openBrowser } from './browser.mjs';
import { writeFilm } from './camera.mjs';
import { ADMIN, CLERK, addPractitioner, dayAfter, openClinic } from './clinic.mjs';
import { openDesk, openPaired, touch, touchDigits, wordsOf } from './people.mjs';

const SAID = wordsOf('desk');
const KIOSK = wordsOf('kiosk');

let clinic;
let browser;
let cameraBrowser;

before(async () => {
  clinic = await openClinic();
  browser = await openBrowser();
});

after(async () => {
  await cameraBrowser?.close();
  await browser?.close();
  await clinic?.close();
});

test('a new patient is booked by keyboard, checks in with the QR, is called, and everybody sees it live', async () => {
  const doctor = await addPractitioner(clinic.api, 'Dr. Meenakshi Iyer');
  const [first, second, board] = await Promise.all([
    openDesk(browser, clinic, CLERK),
    openDesk(browser, clinic, ADMIN),
    openPaired(browser, clinic, 'board'),
  ]);
  // A reload would lose this.
  await second.evaluate(() => (window.openedOnce = true));
  const grid = { first: first.locator('.grid'), second: second.locator('.grid') };
  await grid.first.waitFor();
  await grid.second.waitFor();

  // The desk adds and books, without the mouse.
  await first.keyboard.press('n');
  const dialog = first.getByRole('dialog');
  await dialog.locator('input[name=name]').waitFor();
  await first.keyboard.type('Lakshmi Narayanan');
  await first.keyboard.press('Tab');
  await first.keyboard.type('98441 11173');
  await first.keyboard.press('Tab');
  await first.keyboard.type('1984');
  await assertWell(first);
  await keepPicture(first, 'day-1-new-patient');
  await first.keyboard.press('Enter');
  await dialog.locator('.slots button:focus').waitFor();
  await assertWell(first);
  await keepPicture(first, 'day-2-choose-a-time');
  await first.keyboard.press('Enter');
  await dialog.locator('[type=submit]:focus').waitFor();
  await first.keyboard.press('Enter');
  await first.getByText(/^Lakshmi Narayanan booked for/).waitFor();

  // The other desk has it already.
  await grid.second.getByText('Lakshmi Narayanan').waitFor();
  const [booked] = (await clinic.api.get(`appointments?from=${clinic.today}&to=${dayAfter(clinic.today)}`)).items;
  equal(booked.practitioner_id, doctor.id);

  // The QR on the desk's screen goes before the kiosk's camera.
  await first.locator('.card').getByRole('button', { name: SAID['act.qr'], exact: true }).click();
  const picture = first.getByRole('img', { name: SAID['qr.alt'] });
  await picture.waitFor();
  await first.waitForFunction((image) => image.complete && image.naturalWidth > 0, await picture.elementHandle());
  await assertWell(first);
  await keepPicture(first, 'day-3-qr');
  const svg = await picture.evaluate(async (image) => (await fetch(image.src)).text());
  await first.keyboard.press('Escape');
  const film = join(clinic.folder, 'qr.y4m');
  await writeFilm(browser, svg, film);
  cameraBrowser = await openBrowser({ camera: film });
  const kiosk = await openPaired(cameraBrowser, clinic, 'kiosk');
  await kiosk.locator('.card[lang=en]').click();
  await touch(kiosk, KIOSK.start_booking);
  await kiosk.getByRole('heading', { name: KIOSK.birth_title }).waitFor();
  equal(await kiosk.locator('video').count(), 0, 'the camera is off as soon as it has seen the code');
  await touchDigits(kiosk, '1984');
  await kiosk.getByTestId('next').click();
  await kiosk.getByRole('heading', { name: KIOSK.confirm_title }).waitFor();
  const shown = await kiosk.getByRole('main').innerText();
  match(shown, /L N/);
  ok(!shown.includes('Lakshmi') && !shown.includes('98441'), 'no name and no whole number on the kiosk');
  await assertWell(kiosk);
  await keepPicture(kiosk, 'day-4-confirm');
  await touch(kiosk, KIOSK.confirm_yes);
  const token = await kiosk.getByTestId('token').innerText();
  match(token, /^[A-Z]-\d{3}$/);
  await assertWell(kiosk);
  await keepPicture(kiosk, 'day-5-token');

  // Both desks and the board have the token, none of them was touched.
  const line = (page) => page.getByRole('complementary', { name: SAID.queue, exact: true });
  for (const page of [first, second]) await line(page).getByText(token, { exact: true }).waitFor();
  const waiting = board.getByRole('listitem').filter({ hasText: token });
  await waiting.waitFor();
  await keepPicture(board, 'day-6-board-waiting');

  // One key calls; the board shows token and room, and never a name.
  await first.keyboard.press('1');
  await first.keyboard.press('c');
  await board.getByTestId('newest').getByText(token).waitFor();
  equal(await board.getByTestId('newest').locator('.room').innerText(), doctor.room);
  ok(!(await board.locator('body').innerText()).includes('Lakshmi'), 'no name on the board');
  await waiting.waitFor({ state: 'detached' });
  await assertWell(board);
  await keepPicture(board, 'day-7-board-called');
  const called = line(second).getByRole('listitem').filter({ hasText: token });
  await called.getByText(plural(SAID['queue.called'])).waitFor();
  await assertWell(second);
  await keepPicture(second, 'day-8-second-desk');

  await called.getByRole('button', { name: SAID['turn.finish'], exact: true }).click();
  await line(first).getByText(token, { exact: true }).waitFor({ state: 'detached' });
  equal(await second.evaluate(() => window.openedOnce), true, 'the second desk was never reloaded');
  await assertWell(first);
});

/** The singular of an ICU message with a plural. */
function plural(message) {
  return /one \{([^}]*)\}/.exec(message)[1];
}
