// The desk at work: two of them at once, by mouse and by keyboard, in English and in Hindi.
import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertWell, keepPicture, openBrowser } from './browser.mjs';
import { ADMIN, CLERK, addPractitioner, book, dayAfter, openClinic } from './clinic.mjs';
import { inGrid, openCard, openDesk, openPage, wordsOf } from './people.mjs';

const SAID = wordsOf('desk');
const TABLET = { width: 1024, height: 768 };

let clinic;
let browser;
let iyer;
let gowda;

before(async () => {
  clinic = await openClinic();
  browser = await openBrowser();
  iyer = await addPractitioner(clinic.api, 'Dr. Meenakshi Iyer');
  gowda = await addPractitioner(clinic.api, 'Dr. Arjun Gowda', { room: 'Room 2', specialties: ['paediatrics'] });
});

after(async () => {
  await browser?.close();
  await clinic?.close();
});

test('of two desks that want one slot exactly one gets it, and the other books an alternative with one click', async () => {
  const names = ['Divya Menon', 'Suresh Patil'];
  for (const [at, name] of names.entries()) {
    await clinic.api.post('patients', { name, phone: `984411110${at}`, birth_date: '1990', accept_duplicate: true });
  }
  const desks = await Promise.all([openDesk(browser, clinic, CLERK), openDesk(browser, clinic, ADMIN)]);
  await Promise.all(desks.map((page, at) => prepare(page, names[at])));
  const submit = (page) => page.getByRole('dialog').locator('[type=submit]').click();
  await Promise.all(desks.map(submit));

  const heard = await Promise.all(
    desks.map(async (page) => {
      const refused = page.getByRole('dialog').getByText(SAID['refused.slot_taken']);
      const booked = page.getByText(/ booked for /);
      await refused.or(booked).first().waitFor();
      return (await refused.isVisible()) ? 'refused' : 'booked';
    }),
  );
  deepEqual(heard.toSorted(), ['booked', 'refused']);

  const loser = desks[heard.indexOf('refused')];
  await assertWell(loser);
  await keepPicture(loser, 'desk-slot-taken');
  await loser.getByRole('dialog').locator('.wrong .buttons button').first().click();
  await submit(loser);
  await loser.getByText(/ booked for /).waitFor();
  const made = (await today()).filter(({ patient }) => names.includes(patient.name));
  equal(made.length, 2);
  notEqual(made[0].slot_id, made[1].slot_id);
  await close(desks);

  async function prepare(page, name) {
    await openCard(page, name);
    await page.keyboard.press('b');
    const dialog = page.getByRole('dialog');
    await dialog.locator('label').filter({ hasText: SAID['slots.whom'] }).locator('select').selectOption({ label: iyer.name });
    // With one practitioner there are no headings.
    await dialog.locator('.slots h3').first().waitFor({ state: 'detached' });
    await dialog.locator('.slots').getByText('4:00 pm', { exact: true }).click();
  }
});

test('an appointment is moved by keyboard, and moved back by one key', async () => {
  const appointment = await book(clinic, iyer, '11:30', { name: 'Gopal Hegde', phone: '9844111120', birth_date: '1961' });
  const page = await openDesk(browser, clinic, CLERK);
  await inGrid(page, appointment).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('complementary', { name: 'Patient Gopal Hegde' }).waitFor();
  await page.keyboard.press('m');
  await page.locator('.slots button:focus').waitFor();
  await assertWell(page);
  await keepPicture(page, 'desk-move');
  // The chosen button takes the slot, the last of the dialog moves.
  const time = await page.locator('.slots button:focus').innerText();
  await page.keyboard.press('Enter');
  await tabTo(page, 'button[form=move]');
  await page.keyboard.press('Enter');
  await page.getByText(`Gopal Hegde moved to ${time}`).waitFor();
  notEqual((await clinic.api.get(`appointments/${appointment.id}`)).slot_id, appointment.slot_id);
  await page.keyboard.press('Control+z');
  await page.getByText(/^Undone: Gopal Hegde moved to/).waitFor();
  equal((await clinic.api.get(`appointments/${appointment.id}`)).slot_id, appointment.slot_id);
  await close([page]);
});

test('a move that is refused leaves nothing chosen and goes on among the nearest free times', async () => {
  const appointment = await book(clinic, iyer, '14:00', { name: 'Deepa Nair', phone: '9844111150', birth_date: '1979' });
  const page = await openDesk(browser, clinic, CLERK);
  await inGrid(page, appointment).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('complementary', { name: 'Patient Deepa Nair' }).waitFor();
  await page.keyboard.press('m');
  const dialog = page.getByRole('dialog');
  const picked = dialog.locator('.slots').getByText('3:00 pm', { exact: true });
  await picked.click();
  await book(clinic, iyer, '15:00', { name: 'Imran Sheikh', phone: '9844111151', birth_date: '1968' });
  const move = dialog.locator('button[form=move]');
  await move.click();

  await dialog.getByRole('alert').getByText(SAID['refused.slot_taken']).waitFor();
  equal(await dialog.locator('.slots [aria-pressed=true]').count(), 0, 'nothing stays chosen');
  ok(await move.isDisabled());
  const others = dialog.locator('.wrong .buttons button');
  ok((await others.count()) > 0);
  await dialog.locator('.wrong .buttons button:focus').waitFor();
  await assertWell(page);
  await keepPicture(page, 'desk-move-refused');
  equal((await clinic.api.get(`appointments/${appointment.id}`)).slot_id, appointment.slot_id);

  // The first alternative has the focus: two keys, and it is moved.
  const [, time] = (await others.first().innerText()).split(', ').slice(-2);
  await page.keyboard.press('Enter');
  await dialog.locator('button[form=move]:focus').waitFor();
  await page.keyboard.press('Enter');
  await page.getByText(`Deepa Nair moved to ${time}`).waitFor();
  notEqual((await clinic.api.get(`appointments/${appointment.id}`)).slot_id, appointment.slot_id);
  await close([page]);
});

test('an appointment is dragged to another doctor; dropped on a taken time it goes back and others are offered', async () => {
  const dragged = await book(clinic, iyer, '12:00', { name: 'Anil Kamath', phone: '9844111130', birth_date: '1972' });
  const inTheWay = await book(clinic, gowda, '13:00', { name: 'Zoya Khan', phone: '9844111131', birth_date: '2015' });
  const [page, other] = await Promise.all([openDesk(browser, clinic, CLERK), openDesk(browser, clinic, ADMIN)]);

  await drag(page, inGrid(page, dragged), inGrid(page, inTheWay));
  const refusal = page.locator('.notice').filter({ hasText: 'is taken. Free nearby:' });
  await refusal.waitFor();
  await assertWell(page);
  await keepPicture(page, 'desk-dropped-on-taken');
  equal((await clinic.api.get(`appointments/${dragged.id}`)).slot_id, dragged.slot_id);
  const back = await inGrid(page, dragged).boundingBox();
  const elsewhere = await inGrid(page, inTheWay).boundingBox();
  ok(Math.abs(back.x - elsewhere.x) > 100, 'it lies in its own column again');

  await refusal.getByRole('button').first().click();
  await page.getByText(/^Anil Kamath moved to/).waitFor();
  const moved = await clinic.api.get(`appointments/${dragged.id}`);
  notEqual(moved.slot_id, dragged.slot_id);
  // Into the other column on the other desk, without a reload.
  if (moved.practitioner_id === gowda.id) {
    await other.waitForFunction(
      ([one, two]) => {
        const x = (id) => document.querySelector(`[data-appointment="${id}"]`)?.getBoundingClientRect().x;
        return x(one) !== undefined && Math.abs(x(one) - x(two)) < 20;
      },
      [dragged.id, inTheWay.id],
    );
  }

  // An hour earlier, to a free time.
  await drag(page, inGrid(page, inTheWay), inGrid(page, inTheWay), -60 * PX_PER_MINUTE);
  await page.getByText(/^Zoya Khan moved to 12:00 pm/).waitFor();
  match((await clinic.api.get(`appointments/${inTheWay.id}`)).start, /T12:00/);
  await page.keyboard.press('Control+z');
  await page.getByText(/^Undone: Zoya Khan moved to/).waitFor();
  match((await clinic.api.get(`appointments/${inTheWay.id}`)).start, /T13:00/);
  await close([page, other]);
});

test('somebody without a booking joins the queue, and a booking is cancelled with a reason', async () => {
  const appointment = await book(clinic, iyer, '17:00', { name: 'Kavya Shenoy', phone: '9844111140', birth_date: '1988' });
  const page = await openDesk(browser, clinic, CLERK);
  await openCard(page, 'Kavya Shenoy');
  await page.keyboard.press('w');
  const dialog = page.getByRole('dialog');
  await dialog.getByText(gowda.name).click();
  await assertWell(page);
  await keepPicture(page, 'desk-walk-in');
  await dialog.getByRole('button', { name: SAID['walkin.join'], exact: true }).click();
  await page.getByText(/^Kavya Shenoy has token /).waitFor();
  const line = page.getByRole('complementary', { name: SAID.queue, exact: true });
  await line.getByRole('button', { name: 'Kavya Shenoy' }).waitFor();

  const card = page.getByRole('complementary', { name: 'Patient Kavya Shenoy' });
  await card.getByRole('button', { name: /5:00 pm/ }).click();
  await card.getByRole('button', { name: SAID['act.cancel'], exact: true }).click();
  await dialog.getByRole('button', { name: SAID['cancel.by_patient'], exact: true }).click();
  await assertWell(page);
  await keepPicture(page, 'desk-cancel');
  await dialog.getByRole('button', { name: SAID['act.cancel'], exact: true }).click();
  await page.getByText('The appointment of Kavya Shenoy is cancelled.').waitFor();
  await inGrid(page, appointment).waitFor({ state: 'detached' });
  const { status, cancel_reason: reason } = await clinic.api.get(`appointments/${appointment.id}`);
  deepEqual([status, reason], ['cancelled', SAID['cancel.by_patient']]);
  await close([page]);
});

test('a pair that looks like one person is said to be two people, and is listed no more', async () => {
  for (const birth_date of ['1971', '1973']) {
    await clinic.api.post('patients', { name: 'Harish Kumar', phone: '9844111160', birth_date, accept_duplicate: true });
  }
  const page = await openDesk(browser, clinic, CLERK);
  await openPage(page, 'duplicates');
  const pair = page.locator('.sheet').filter({ hasText: 'Harish Kumar' });
  await pair.getByRole('button', { name: SAID['duplicates.dismiss'], exact: true }).click();
  await page.getByText('Harish Kumar and Harish Kumar stay two patients.').waitFor();
  await pair.waitFor({ state: 'detached' });
  await assertWell(page);
  await close([page]);
});

test('every page of the desk is well, on a tablet and in Hindi, too', async () => {
  const page = await openDesk(browser, clinic, ADMIN);
  for (const name of ['practitioners', 'duplicates', 'places', 'devices', 'staff', 'audit']) {
    await page.evaluate((to) => (location.hash = to), name);
    await page.getByRole('heading', { level: 1, name: SAID[`page.${name}`], exact: true }).waitFor();
    await page.waitForLoadState('networkidle');
    await assertWell(page);
    await keepPicture(page, `desk-page-${name}`);
  }
  await page.getByRole('button', { name: SAID.help, exact: true }).click();
  await page.getByRole('dialog').waitFor();
  await assertWell(page);
  await keepPicture(page, 'desk-help');
  await page.keyboard.press('Escape');

  const hindi = wordsOf('desk', 'hi');
  await page.getByRole('button', { name: ADMIN.name }).click();
  await page.getByRole('menuitemradio', { name: 'हिन्दी' }).click();
  await page.getByRole('link', { name: hindi['page.day'], exact: true }).click();
  await page.getByRole('complementary', { name: hindi.queue, exact: true }).waitFor();
  equal(await page.evaluate(() => document.documentElement.lang), 'hi');
  await page.locator('.grid').waitFor();
  await assertWell(page);
  await keepPicture(page, 'desk-hindi');
  await page.setViewportSize(TABLET);
  await assertWell(page);
  await keepPicture(page, 'desk-tablet');
  ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing beside a tablet’s screen');
  await page.reload();
  await page.getByRole('complementary', { name: hindi.queue, exact: true }).waitFor();
  await close([page]);
});

/** As the grid draws it. */
const PX_PER_MINUTE = 2.6;

async function today() {
  return (await clinic.api.get(`appointments?from=${clinic.today}&to=${dayAfter(clinic.today)}&limit=100`)).items;
}

async function tabTo(page, selector) {
  const STOPS_MAX = 80;
  for (let stop = 0; stop < STOPS_MAX; stop += 1) {
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the Tab key never reaches ${selector}`);
}

/** Drags with the mouse onto another element, or so many pixels below it (above: less than none). */
async function drag(page, from, to, below = 0) {
  await from.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  const [start, end] = [await from.boundingBox(), await to.boundingBox()];
  await page.mouse.move(start.x + start.width / 2, start.y + 8);
  await page.mouse.down();
  await page.mouse.move(end.x + end.width / 2, end.y + below + 8, { steps: 12 });
  await page.mouse.up();
}

function close(pages) {
  return Promise.all(pages.map((page) => page.context().close()));
}
