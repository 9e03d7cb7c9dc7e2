// What the desk keeps in mind and says: conversations, things to do, the waitlist, the clinic's own words.
import { equal, ok } from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertWell, keepPicture, openBrowser } from './browser.mjs';
import { ADMIN, CLERK, addPractitioner, book, openClinic } from './clinic.mjs';
import { inGrid, openCard, openDesk, openPage, wordsOf } from './people.mjs';

const SAID = wordsOf('desk');

let clinic;
let browser;
let iyer;

before(async () => {
  clinic = await openClinic();
  browser = await openBrowser();
  iyer = await addPractitioner(clinic.api, 'Dr. Meenakshi Iyer');
});

after(async () => {
  await browser?.close();
  await clinic?.close();
});

async function openLink(page, name) {
  await page.getByRole('link', { name: SAID[`page.${name}`] }).click();
  await page.getByRole('heading', { level: 1, name: SAID[`page.${name}`], exact: true }).waitFor({ state: 'attached' });
}

test('the desk writes to a patient, keeps what is to be done, and gives the conversation back', async () => {
  const patient = await clinic.api.post('patients', { name: 'Asha Rao', phone: '98441 11173', birth_date: '1984' });
  await clinic.api.post('conversations', { patient_id: patient.id });
  await clinic.api.post('faqs', { language: 'en', questions: ['Where can I park?'], answer: 'Behind the house.' });
  const page = await openDesk(browser, clinic, CLERK);
  await openLink(page, 'messages');
  await page.getByText(SAID['messages.none_failed']).waitFor();
  await assertWell(page);
  await page.locator('button.thread').filter({ hasText: 'Asha Rao' }).click();
  const talk = page.getByRole('region', { name: 'Conversation with Asha Rao' });
  await talk.getByText(SAID['messages.by_reception']).waitFor();
  await page.getByRole('complementary', { name: /Asha Rao/ }).waitFor();

  const words = talk.getByRole('textbox', { name: SAID['messages.write'] });
  await words.press('/');
  await page.getByRole('combobox', { name: SAID['canned.find'] }).fill('park');
  await page.getByRole('option', { name: /Where can I park/ }).waitFor();
  await page.keyboard.press('Enter');
  equal(await words.inputValue(), 'Behind the house.');
  await words.press('Control+Enter');
  await talk.getByRole('log').getByText('Behind the house.').waitFor();
  await talk.getByText(SAID['messages.by_staff'].replace('{name}', CLERK.name)).waitFor();
  equal(await words.inputValue(), '');

  await talk.getByRole('button', { name: SAID['messages.ticket'], exact: true }).click();
  await talk.getByLabel(SAID['ticket.subject']).fill('Send the report');
  await page.keyboard.press('Enter');
  await page.getByText(SAID['done.ticket']).waitFor();
  await assertWell(page);
  await keepPicture(page, 'messages');
  await talk.getByRole('button', { name: SAID['messages.give_back'] }).click();
  await talk.getByText(SAID['messages.by_reception']).waitFor();

  await openLink(page, 'tickets');
  const row = page.getByRole('row').filter({ hasText: 'Send the report' });
  await row.getByText('Asha Rao').waitFor();
  await assertWell(page);
  await keepPicture(page, 'tickets');
  await row.getByRole('button', { name: SAID['ticket.finish'] }).click();
  await row.waitFor({ state: 'detached' });
  await page.context().close();
});

test('a time that is called off is shown to suit who waits: offered, not wanted, and theirs by one press', async () => {
  const appointment = await book(clinic, iyer, '15:00', { name: 'Rohan Bhat', phone: '9844111170', birth_date: '1990' });
  const page = await openDesk(browser, clinic, CLERK);
  const waiting = await clinic.api.post('patients', { name: 'Lakshmi Nair', phone: '9844111171', birth_date: '1971' });
  const first = await clinic.api.post('patients', { name: 'Anil Menon', phone: '9844111172', birth_date: '1964' });
  const day = appointment.start.slice(0, 10);
  await clinic.api.post('waitlist', { patient_id: first.id, practitioner_id: iyer.id, from: day, to: day });
  await openPage(page, 'waitlist');
  await page.getByLabel(SAID.search, { exact: true }).last().fill('Lakshmi');
  await page.getByRole('list', { name: SAID['search.results'] }).last().getByRole('button').first().click();
  const form = page.getByRole('form', { name: SAID['waitlist.new'] });
  await form.getByLabel(SAID['slots.whom'], { exact: true }).selectOption({ label: iyer.name });
  await form.getByRole('button', { name: SAID['waitlist.join'] }).click();
  await page.getByRole('row').filter({ hasText: waiting.name }).waitFor();
  await assertWell(page);
  await keepPicture(page, 'waitlist');

  await page.getByRole('link', { name: SAID['page.day'], exact: true }).click();
  await inGrid(page, appointment).waitFor();
  await inGrid(page, appointment).click();
  const card = page.getByRole('complementary', { name: /Rohan Bhat/ });
  await card.getByRole('button', { name: SAID['act.cancel'], exact: true }).click();
  const asked = page.getByRole('dialog');
  await asked.getByRole('button', { name: SAID['cancel.by_patient'], exact: true }).click();
  await asked.getByRole('button', { name: SAID['act.cancel'], exact: true }).click();
  await page.getByRole('button', { name: SAID['waitlist.show_fitting'] }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(waiting.name).first().waitFor();
  await assertWell(page);
  await keepPicture(page, 'waitlist-fitting');
  await dialog.getByRole('button', { name: `${SAID['waitlist.offer']} ${first.name}` }).click();
  await page.getByText(SAID['done.waitlist_offered'].replace('{name}', first.name)).waitFor();
  await dialog.getByRole('button', { name: `${SAID['waitlist.book']} ${waiting.name}` }).click();
  await page.getByText(SAID['done.waitlist_booked'].replace('{name}', waiting.name)).waitFor();
  const { items } = await clinic.api.get(`appointments?patient=${waiting.id}`);
  equal(items[0].slot_id, appointment.slot_id);

  await openPage(page, 'waitlist');
  const row = page.getByRole('row').filter({ hasText: first.name });
  await row.getByRole('button', { name: SAID['waitlist.decline'] }).click();
  await row.getByText(SAID['waitlist.declined'].split('{')[0].trim()).waitFor();
  await assertWell(page);
  await keepPicture(page, 'waitlist-declined');
  equal(await page.getByText(SAID['refused.fault']).count(), 0, 'a dialog that was closed asks nothing more');
  await page.context().close();
});

test('a sentence gets the clinic’s own words, which are tried as they are typed', async () => {
  const page = await openDesk(browser, clinic, CLERK);
  await openPage(page, 'wording');
  const usual = 'Hello! This is the automatic assistant of { $clinic }.';
  const row = page.getByRole('row').filter({ hasText: usual });
  await row.getByRole('button', { name: SAID.edit }).click();
  const form = page.getByRole('form', { name: 'greeting' });
  const words = form.getByLabel(SAID['sentences.text'], { exact: true });
  await words.fill('Welcome to { $nobody }');
  await form.getByRole('alert').getByText(/use only what this sentence has: clinic/).waitFor();
  await words.fill('Welcome to { $clinic }!');
  await form.getByText('Welcome to [clinic]!').waitFor();
  await form.getByRole('button', { name: SAID.save, exact: true }).click();
  await page.getByText(SAID['done.wording']).waitFor();
  await page.getByRole('row').filter({ hasText: 'Welcome to { $clinic }!' }).getByText(SAID['sentences.own']).waitFor();
  await assertWell(page);
  ok(await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight), 'the page scrolls by one bar alone');
  await keepPicture(page, 'wording');
  const { items } = await clinic.api.get('templates');
  ok(items.some(({ sentence, text }) => sentence === 'greeting' && text === 'Welcome to { $clinic }!'));
  await page.context().close();
});

test('a text at hand is kept, filled in for the patient, and not sent before its gaps are', async () => {
  const patient = { name: 'Meena Das', phone: '9844111172', birth_date: '1990' };
  const { patient_id } = await book(clinic, iyer, '16:00', patient);
  const page = await openDesk(browser, clinic, CLERK);
  await openPage(page, 'wording');
  const form = page.getByRole('form', { name: SAID['canned.new'] });
  await form.getByLabel(SAID['canned.title'], { exact: true }).fill('Running late');
  const text = form.getByLabel(SAID['canned.text'], { exact: true });
  await text.fill('Dear { $nobody }');
  await form.getByRole('button', { name: SAID['canned.add'] }).click();
  await form.getByRole('alert').filter({ hasText: /\S/ }).waitFor();
  await text.fill('Dear { $patient }, { $doctor } is late today: come a little after ');
  await form.getByRole('button', { name: SAID['place.time'], exact: true }).click();
  await form.getByRole('button', { name: SAID['canned.add'] }).click();
  await page.getByText(SAID['done.saved'].replace('{name}', 'Running late')).waitFor();
  await assertWell(page);
  await keepPicture(page, 'wording-texts');

  await page.getByRole('link', { name: SAID['page.day'], exact: true }).click();
  const card = await openCard(page, 'Meena Das');
  await card.getByRole('button', { name: SAID['card.message'], exact: true }).click();
  const talk = page.getByRole('region', { name: 'Conversation with Meena Das' });
  const words = talk.getByRole('textbox', { name: SAID['messages.write'] });
  await words.press('/');
  await page.getByRole('option', { name: /Running late/ }).waitFor();
  await assertWell(page);
  await keepPicture(page, 'messages-texts');
  await page.keyboard.press('Enter');
  equal(await words.inputValue(), 'Dear Meena Das, Dr. Meenakshi Iyer is late today: come a little after 4:00 pm');
  const send = talk.locator('form').getByRole('button', { name: SAID['messages.send'], exact: true }).last();
  await words.fill(`Come at [${SAID['place.time']}]`);
  await talk.getByText(SAID['canned.gap'].replace('{gap}', `[${SAID['place.time']}]`)).waitFor();
  equal(await send.isEnabled(), false);
  await words.fill('');

  // They never wrote by WhatsApp, so only what was approved goes that way.
  const approved = talk.getByRole('region', { name: SAID.approved });
  await approved.getByRole('listitem').filter({ hasText: /Please reply YES/ }).waitFor();
  await approved.getByRole('listitem').filter({ hasText: /We have a message for you/ }).getByRole('button').click();
  await talk.getByRole('log').getByText(/We have a message for you/).waitFor();
  await assertWell(page);
  await keepPicture(page, 'messages-approved');
  const { items } = await clinic.api.get(`conversations?patient=${patient_id}`);
  equal(items[0].assignee_name, CLERK.name);
  await page.context().close();
});

test('a conversation is given to a colleague, and what nobody has is found', async () => {
  const patient = await clinic.api.post('patients', { name: 'Joseph Mathew', phone: '98441 11175', birth_date: '1966' });
  const { id } = await clinic.api.post('conversations', { patient_id: patient.id });
  await clinic.api.post(`conversations/${id}/take-over`);
  await clinic.api.post(`conversations/${id}/assign`, { staff_id: null });
  const page = await openDesk(browser, clinic, CLERK);
  await openLink(page, 'messages');
  await page.getByRole('button', { name: SAID['messages.unassigned'], exact: true }).click();
  await page.locator('button.thread').filter({ hasText: 'Joseph Mathew' }).click();
  const talk = page.getByRole('region', { name: 'Conversation with Joseph Mathew' });
  await talk.getByRole('combobox', { name: SAID['messages.assignee'] }).selectOption({ label: ADMIN.name });
  await talk.getByText(SAID['messages.by_staff'].replace('{name}', ADMIN.name)).waitFor();
  await page.getByText(SAID['messages.none'], { exact: true }).waitFor();
  const { items } = await clinic.api.get('conversations?mine=true');
  equal(items[0].id, id);
  await page.context().close();
});

test('what to know before a visit is written for each service', async () => {
  const service = await clinic.api.post('healthcare-services', { name: 'Ultrasound', duration_minutes: 30 });
  const page = await openDesk(browser, clinic, CLERK);
  await openPage(page, 'wording');
  const form = page.getByRole('form', { name: SAID['instructions.new'] });
  await form.getByLabel(SAID['waitlist.service'], { exact: true }).selectOption({ label: 'Ultrasound' });
  await form.getByLabel(SAID['instructions.text'], { exact: true }).fill('Do not eat before.');
  await form.getByRole('button', { name: SAID['instructions.add'] }).click();
  await page.getByRole('row').filter({ hasText: 'Do not eat before.' }).filter({ hasText: 'Ultrasound' }).waitFor();
  await assertWell(page);
  const { items } = await clinic.api.get(`patient-instructions?healthcare_service=${service.id}`);
  equal(items[0].text, 'Do not eat before.');
  await page.context().close();
});
