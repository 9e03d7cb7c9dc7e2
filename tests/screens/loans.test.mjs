// Times that are lent to the cloud: seen in the day and in a booking, asked back there, counted on the page of the cloud.
import { equal, ok } from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { signIn } from './api.mjs';
import { assertWell, keepPicture, openBrowser } from './browser.mjs';
import { openDemo } from './clinic.mjs';
import { openDesk, openPage, wordsOf } from './people.mjs';

/** One of the sign-ins that `carepost demo` prints. */
const ADMIN = { username: 'admin', password: 'ashwini-demo' };
const SAID = wordsOf('desk');
const IN_HINDI = wordsOf('desk', 'hi');
/** All records of the demonstration are told at first, and then slots are lent. */
const LENT_WITHIN_MS = 120_000;
const SCREEN = { viewport: { width: 1280, height: 800 } };

let clinic;
let browser;
let api;

before(async () => {
  clinic = await openDemo();
  browser = await openBrowser();
  api = await signIn(clinic.url, ADMIN);
});

after(async () => {
  await browser?.close();
  await clinic?.close();
});

/** What the hub knows is lent, once it has said so. */
async function lent() {
  const deadline = Date.now() + LENT_WITHIN_MS;
  for (;;) {
    const { items } = await api.get('loans?limit=500');
    const held = items.filter((loan) => loan.status === 'held');
    if (held.length > 0) return held;
    if (Date.now() > deadline) throw new Error(`nothing is lent: ${JSON.stringify(await api.get('sync'))}`);
    await pause(250);
  }
}

test('a lent time stands in the day, is asked back there, and can be booked when the cloud has answered', async () => {
  const [loan] = await lent();
  const page = await openDesk(browser, clinic, ADMIN, SCREEN);
  await page.evaluate((date) => (location.hash = `day/${date}`), loan.start.slice(0, 10));
  const block = page.locator(`.grid [data-block="lent.${loan.slot_id}"]`);
  await block.waitFor();
  await block.scrollIntoViewIfNeeded();
  await assertWell(page);
  await keepPicture(page, 'loans-1-day');

  await block.click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/^The cloud may sell this until/).waitFor();
  await assertWell(page);
  await keepPicture(page, 'loans-2-lent');
  await dialog.getByRole('button', { name: SAID['loan.ask_back'] }).click();
  await dialog.getByText(SAID['lent.back']).waitFor();
  await dialog.getByRole('button', { name: /^Book / }).waitFor();
  await keepPicture(page, 'loans-3-back');
  await dialog.getByRole('button', { name: /^Book / }).click();
  await page.getByRole('dialog').locator('.slots button[aria-pressed=true]').waitFor();
  await page.context().close();
});

test('a booking offers lent times as such, and takes one when it is back', async () => {
  const [, loan] = await lent();
  const page = await openDesk(browser, clinic, ADMIN, SCREEN);
  await page.evaluate((date) => (location.hash = `day/${date}`), loan.start.slice(0, 10));
  await page.locator('.grid').waitFor();
  await page.keyboard.press('b');
  const dialog = page.getByRole('dialog');
  const time = dialog.locator('.slots button', { hasText: SAID.lent }).first();
  await time.click();
  await dialog.getByText(/^The cloud may sell this until/).waitFor();
  await assertWell(page);
  await keepPicture(page, 'loans-4-booking');
  await dialog.getByRole('button', { name: SAID['loan.ask_back'] }).click();
  // The time is chosen as soon as the cloud has answered.
  await dialog.locator('.slots button[aria-pressed=true]:not(.full)').waitFor();
  equal(await dialog.getByText(/^The cloud may sell this until/).count(), 0);
  await keepPicture(page, 'loans-4b-chosen');
  await page.context().close();
});

test('the page of the cloud counts what is lent, and asks a day back', async () => {
  await lent();
  const page = await openDesk(browser, clinic, ADMIN, SCREEN);
  await openPage(page, 'sync');
  const sheet = page.getByRole('main').locator('section', { has: page.getByRole('heading', { name: SAID.loans }) });
  await sheet.getByRole('button', { name: SAID['loans.times'] }).first().click();
  await sheet.getByText(/^The cloud may sell this until/).first().waitFor();
  await assertWell(page);
  await keepPicture(page, 'loans-5-page');

  const before = await api.get('loans/days');
  await sheet.getByRole('button', { name: SAID['loans.day_back'] }).first().click();
  await page.getByText(/asked back\.$/).waitFor();
  ok(before.items[0].lent > 0);

  // Somebody whose time another has: told by the box as its own tests make it happen, which takes days.
  const [slot] = (await api.get('slots?limit=1')).items;
  const one = {
    booking_id: '01937e56-0000-7000-8000-000000000001',
    loan_id: null,
    patient_id: (await api.get('patients?limit=1')).items?.[0]?.id ?? slot.practitioner_id,
    patient_name: 'Lakshmi Narayanan',
    patient_phone: '+919844111173',
    practitioner_id: slot.practitioner_id,
    start: slot.start,
    said_at: slot.start,
    alternatives: (await api.get('slots?limit=3')).items,
  };
  await page.route('**/loans/displaced', (route) => route.fulfill({ json: { items: [one], next: null } }));
  await page.reload();
  await page.getByRole('heading', { name: SAID.displaced }).waitFor();
  await page.getByRole('button', { name: SAID['displaced.done'] }).click();
  await page.getByLabel(SAID['displaced.how']).waitFor();
  await assertWell(page);
  await keepPicture(page, 'loans-6-displaced');

  await page.evaluate(() => localStorage.setItem('carepost.desk.language', 'hi'));
  await page.reload();
  await page.getByRole('heading', { name: IN_HINDI.displaced }).waitFor();
  await page.getByRole('heading', { name: IN_HINDI.loans }).waitFor();
  await assertWell(page);
  await keepPicture(page, 'loans-7-hindi');
  await page.context().close();
});

test('an administrator says how much of a session is lent', async () => {
  await lent();
  const page = await openDesk(browser, clinic, ADMIN, SCREEN);
  await openPage(page, 'practitioners');
  const sheet = page.getByRole('main').locator('section', { has: page.getByRole('heading', { name: SAID.sessions, exact: true }) });
  await sheet.getByRole('button', { name: SAID.edit }).first().click();
  const form = sheet.locator('form').first();
  await form.getByLabel(SAID['session.lent_share']).fill('101');
  await form.getByRole('button', { name: SAID.save }).click();
  equal(await form.getByLabel(SAID['session.lent_share']).evaluate((field) => field.validity.rangeOverflow), true);
  await form.getByLabel(SAID['session.lent_share']).fill('0');
  await assertWell(page);
  await keepPicture(page, 'loans-8-session');
  await form.getByRole('button', { name: SAID.save }).click();
  await sheet.getByText(SAID['session.lends'].replace('{share}', '0')).waitFor();
  const { items } = await api.get('schedules');
  equal(items.filter((one) => one.loan_share_percent === 0).length, 1);
  await page.context().close();
});
