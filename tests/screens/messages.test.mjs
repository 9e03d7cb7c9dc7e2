// What the desk keeps in mind and says: conversations, things to do, the waitlist, the clinic's own words.
import { equal, ok } from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertWell, keepPicture, openBrowser } from './browser.mjs';
import { CLERK, addPractitioner, book, openClinic } from './clinic.mjs';
import { inGrid, openDesk, openPage, wordsOf } from './people.mjs';

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

  await talk.getByRole('combobox', { name: SAID['messages.answers'] }).selectOption({ label: 'Where can I park?' });
  const words = talk.getByRole('textbox', { name: SAID['messages.write'] });
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
  await page.getByText(SAID['ticket.none']).waitFor();
  await page.context().close();
});

test('a time that is called off is shown to suit who waits, and is theirs by one press', async () => {
  const appointment = await book(clinic, iyer, '15:00', { name: 'Rohan Bhat', phone: '9844111170', birth_date: '1990' });
  const page = await openDesk(browser, clinic, CLERK);
  const waiting = await clinic.api.post('patients', { name: 'Lakshmi Nair', phone: '9844111171', birth_date: '1971' });
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
  await dialog.getByRole('button', { name: `${SAID['waitlist.book']} ${waiting.name}` }).click();
  await page.getByText(SAID['done.waitlist_booked'].replace('{name}', waiting.name)).waitFor();
  const { items } = await clinic.api.get(`appointments?patient=${waiting.id}`);
  equal(items[0].slot_id, appointment.slot_id);
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
  await keepPicture(page, 'wording');
  const { items } = await clinic.api.get('templates');
  ok(items.some(({ sentence, text }) => sentence === 'greeting' && text === 'Welcome to { $clinic }!'));
  await page.context().close();
});
