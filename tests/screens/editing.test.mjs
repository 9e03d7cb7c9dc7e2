// What the clinic consists of is changed where it stands: practitioners, sessions, rooms and services.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertWell, keepPicture, openBrowser } from './browser.mjs';
import { ADMIN, CLERK, addPractitioner, book, openClinic } from './clinic.mjs';
import { inGrid, openDesk, openPage, wordsOf } from './people.mjs';

const SAID = wordsOf('desk');

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

test('a practitioner is changed; what the box refuses is said beside the field, and what was typed stays', async () => {
  const page = await openDesk(browser, clinic, CLERK);
  await openPage(page, 'practitioners');
  const sheet = await choose(page, iyer.name);
  const opener = sheet.getByRole('button', { name: `${SAID.edit} ${iyer.name}` });
  await opener.focus();
  await page.keyboard.press('Enter');
  const form = page.getByRole('form', { name: iyer.name });
  const name = form.getByLabel(SAID.name, { exact: true });
  await form.locator('input:focus').waitFor();
  await name.fill('   ');
  await form.getByLabel(SAID['practitioner.specialties'], { exact: true }).fill('general medicine, diabetes');
  await form.getByLabel(SAID.room, { exact: true }).selectOption({ label: gowda.room });
  await save(form);
  const refusal = form.getByRole('alert').getByText(/^This was not possible: /);
  await refusal.waitFor();
  equal(await name.getAttribute('aria-describedby'), await refusal.getAttribute('id'));
  equal(await form.getByLabel(SAID['practitioner.specialties'], { exact: true }).inputValue(), 'general medicine, diabetes');
  await assertWell(page);
  await keepPicture(page, 'editing-practitioner-refused');

  await name.fill('Dr. Meenakshi Iyer-Rao');
  await page.keyboard.press('Enter');
  await page.getByText('Dr. Meenakshi Iyer-Rao saved.').waitFor();
  // The focus is where it was before.
  await page.locator('.sheet button:focus').waitFor();
  const now = await clinic.api.get(`practitioners/${iyer.id}`);
  deepEqual([now.name, now.specialties], ['Dr. Meenakshi Iyer-Rao', ['general medicine', 'diabetes']]);
  const { items } = await clinic.api.get('locations');
  equal(items.find(({ id }) => id === now.location_id).name, gowda.room);
  await page.context().close();
});

test('of two who change one practitioner the later one keeps what they typed, and loses nothing of the other', async () => {
  const page = await openDesk(browser, clinic, CLERK);
  await openPage(page, 'practitioners');
  const sheet = await choose(page, gowda.name);
  await sheet.getByRole('button', { name: `${SAID.edit} ${gowda.name}` }).click();
  const form = page.locator('.sheet form').first();
  await form.getByLabel(SAID.name, { exact: true }).fill('Dr. Arjun K. Gowda');
  await clinic.api.patch(`practitioners/${gowda.id}`, { specialties: ['paediatrics', 'vaccination'] });
  await save(form);
  await form.getByRole('alert').getByText(SAID['form.stale']).waitFor();
  equal(await form.getByLabel(SAID.name, { exact: true }).inputValue(), 'Dr. Arjun K. Gowda');
  equal(await form.getByLabel(SAID['practitioner.specialties'], { exact: true }).inputValue(), 'paediatrics, vaccination');
  await assertWell(page);
  await keepPicture(page, 'editing-stale');
  await save(form);
  await page.getByText('Dr. Arjun K. Gowda saved.').waitFor();
  const { name, specialties } = await clinic.api.get(`practitioners/${gowda.id}`);
  deepEqual([name, specialties], ['Dr. Arjun K. Gowda', ['paediatrics', 'vaccination']]);
  await page.context().close();
});

test('whoever leaves is booked no more, and those who are booked with them stay to be seen', async () => {
  const das = await addPractitioner(clinic.api, 'Dr. Sunita Das', { room: 'Room 3' });
  const appointment = await book(clinic, das, '15:00', { name: 'Rohan Bhat', phone: '9844111170', birth_date: '1990' });
  const page = await openDesk(browser, clinic, ADMIN);
  await openPage(page, 'practitioners');
  const sheet = await choose(page, das.name);
  await sheet.getByRole('button', { name: `${SAID.edit} ${das.name}` }).click();
  const form = page.getByRole('form', { name: das.name });
  await form.getByLabel(SAID['practitioner.active'], { exact: true }).uncheck();
  await form.getByText(SAID['practitioner.inactive_what']).waitFor();
  await save(form);
  await page.getByRole('navigation').getByText(SAID['not_bookable']).waitFor();
  await assertWell(page);
  await keepPicture(page, 'editing-practitioner-gone');

  await page.getByRole('link', { name: SAID['page.day'], exact: true }).click();
  await inGrid(page, appointment).waitFor();
  await page.keyboard.press('b');
  const whom = page.getByRole('dialog').locator('label').filter({ hasText: SAID['slots.whom'] }).locator('option');
  await whom.first().waitFor({ state: 'attached' });
  ok(!(await whom.allInnerTexts()).includes(das.name));
  await page.context().close();
});

test('a session is changed in what may change; its days and times are a new session', async () => {
  const kulkarni = await addPractitioner(clinic.api, 'Dr. Vijay Kulkarni', { room: 'Room 4' });
  const page = await openDesk(browser, clinic, CLERK);
  await openPage(page, 'practitioners');
  await choose(page, kulkarni.name);
  await page.getByRole('row').filter({ hasText: '08:00–18:00' }).getByRole('button', { name: SAID.edit }).click();
  const form = page.getByRole('form', { name: /08:00–18:00$/ });
  await form.getByText(SAID['session.edit_what']).waitFor();
  equal(await form.locator('input[type=time]').count(), 0);
  const [first, last] = [SAID['session.begins'], SAID['session.ends']].map((name) => form.getByLabel(name, { exact: true }));
  await first.fill('2030-05-01');
  await last.fill('2030-04-01');
  await form.getByLabel(SAID['session.per_slot'], { exact: true }).fill('3');
  await save(form);
  ok(await last.evaluate((field) => field.matches(':invalid:focus')), 'it does not end before it begins');
  await assertWell(page);
  await keepPicture(page, 'editing-session-open');

  await first.fill('');
  await form.getByLabel(SAID['session.per_session'], { exact: true }).fill('40');
  await save(form);
  await page.getByText('3 at a time · 40 in all').waitFor();
  const { items } = await clinic.api.get(`schedules?practitioner=${kulkarni.id}`);
  const [{ valid_from, valid_to, slot_capacity, session_capacity }] = items;
  deepEqual([valid_from, valid_to, slot_capacity, session_capacity], [null, '2030-04-01', 3, 40]);
  await assertWell(page);
  await keepPicture(page, 'editing-session');
  await page.context().close();
});

test('rooms and services are changed, put out of use, and offered no more', async () => {
  const scanner = await clinic.api.post('locations', { name: 'Scaner', kind: 'equipment' });
  await clinic.api.post('healthcare-services', { name: 'Ultrasound', duration_minutes: 15, location_ids: [scanner.id] });
  const page = await openDesk(browser, clinic, ADMIN);
  await openPage(page, 'places');
  const edit = (name) => page.getByRole('row').filter({ hasText: name }).getByRole('button', { name: SAID.edit }).first();
  await edit('Scaner').click();
  const room = page.getByRole('form', { name: 'Scaner', exact: true });
  await room.getByLabel(SAID.name, { exact: true }).fill('Ultrasound scanner');
  await assertWell(page);
  await save(room);
  await page.getByRole('cell', { name: 'Ultrasound scanner', exact: true }).first().waitFor();

  await edit('Ultrasound scanner').click();
  const again = page.getByRole('form', { name: 'Ultrasound scanner', exact: true });
  await again.getByLabel(SAID['in_use'], { exact: true }).uncheck();
  await save(again);
  await page.getByRole('cell', { name: `Ultrasound scanner ${SAID['not_in_use']}` }).waitFor();
  equal((await clinic.api.get(`locations/${scanner.id}`)).active, false);

  await page.getByRole('table').nth(1).getByRole('button', { name: `${SAID.edit} Ultrasound`, exact: true }).click();
  const service = page.getByRole('form', { name: 'Ultrasound', exact: true });
  await service.getByLabel(SAID['service.duration'], { exact: true }).fill('30');
  await service.getByLabel(SAID['service.buffer'], { exact: true }).fill('5');
  await service.getByLabel(iyerNow(), { exact: true }).check();
  await service.getByLabel(`Ultrasound scanner ${SAID['not_in_use']}`).uncheck();
  await service.getByLabel(SAID['service.active'], { exact: true }).uncheck();
  await assertWell(page);
  await keepPicture(page, 'editing-service');
  await save(service);
  await page.getByText('Ultrasound saved.').waitFor();
  const { items } = await clinic.api.get('healthcare-services');
  const { duration_minutes, buffer_minutes, practitioner_ids, location_ids, active: bookable } = items[0];
  deepEqual([duration_minutes, buffer_minutes, practitioner_ids, location_ids, bookable], [30, 5, [iyer.id], [], false]);

  await page.getByRole('link', { name: SAID['page.day'], exact: true }).click();
  await page.keyboard.press('b');
  const dialog = page.getByRole('dialog');
  await dialog.locator('.slots button').first().waitFor();
  // There is no service to choose any more.
  await dialog.getByText(SAID['slots.service'], { exact: true }).waitFor({ state: 'detached' });
  await page.context().close();
});

test('a closed day is opened again, and closed again by undoing it', async () => {
  await clinic.api.post('closed-days', { date: '2030-08-15', reason: 'Independence Day' });
  const page = await openDesk(browser, clinic, CLERK);
  await openPage(page, 'practitioners');
  const row = page.getByRole('row').filter({ hasText: 'Independence Day' });
  await row.getByRole('button', { name: SAID['closed.open'], exact: true }).click();
  await row.waitFor({ state: 'detached' });
  await page.locator('.notice').getByRole('button', { name: SAID.undo, exact: true }).click();
  await row.waitFor();
  const { items } = await clinic.api.get('closed-days');
  deepEqual(items.map(({ date, reason }) => [date, reason]), [['2030-08-15', 'Independence Day']]);
  await page.context().close();
});

/** The name since the first test of this file. */
function iyerNow() {
  return 'Dr. Meenakshi Iyer-Rao';
}

/** Chooses a practitioner; answers the sheet that says who they are. */
async function choose(page, name) {
  const pages = page.getByRole('navigation', { name: SAID['page.practitioners'], exact: true });
  await pages.getByRole('button').filter({ hasText: name }).click();
  const sheet = page.getByRole('region', { name, exact: true });
  await sheet.waitFor();
  return sheet;
}

function save(form) {
  return form.getByRole('button', { name: SAID.save, exact: true }).click();
}
