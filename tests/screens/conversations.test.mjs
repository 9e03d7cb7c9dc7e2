// What patients write from their telephones, as the desk sees it: hub, broker and box as the real programs.
import { after, before, test } from 'node:test';
import { assertWell, keepPicture, openBrowser, openScreen } from './browser.mjs';
import { openDemo } from './clinic.mjs';
import { signIn } from './api.mjs';
import { openDesk, wordsOf } from './people.mjs';

/** One of the sign-ins that `carepost demo` prints. */
const ADMIN = { username: 'admin', password: 'ashwini-demo' };
const SAID = wordsOf('desk');
const PHONE = wordsOf('phone');
/** A telephone of today, in the hand and on its side. */
const HAND = { width: 412, height: 915 };
/** The box joins the hub, and a message goes through four programs. */
const CARRIED_WITHIN_MS = 60_000;
/** Numbers that end so have no WhatsApp in the demonstration. */
const WITHOUT_WHATSAPP = '+919844110000';

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

/** The desk's page of conversations. */
async function openMessages(options) {
  const page = await openDesk(browser, clinic, ADMIN, options);
  await page.getByRole('link', { name: SAID['page.messages'] }).click();
  await page.getByRole('heading', { level: 1, name: SAID['page.messages'], exact: true }).waitFor({ state: 'attached' });
  return page;
}

/** A patient's telephone: `write` writes, `hears` waits for words of the clinic. */
async function openPhone(nth) {
  const page = await openScreen(browser, `${clinic.url}/phone`, HAND);
  const person = page.locator('#person option').nth(nth);
  await person.waitFor({ state: 'attached' });
  const name = await person.textContent();
  if (nth > 0) await page.locator('#person').selectOption({ index: nth });
  return {
    page,
    name,
    write: async (words) => {
      await page.getByLabel(PHONE.write).fill(words);
      await page.keyboard.press('Enter');
    },
    hears: (words) => page.getByRole('log').getByText(words).last().waitFor({ timeout: CARRIED_WITHIN_MS }),
  };
}

test('a patient writes, the desk takes over, answers with a text at hand, and gives back', async () => {
  await api.post('canned-answers', { title: 'Wait for us', language: 'en', text: 'We call you in ten minutes. { $clinic }' });
  const page = await openMessages();
  const phone = await openPhone(0);
  await phone.write('Hello');
  const thread = page.locator('button.thread').filter({ hasText: phone.name });
  await thread.waitFor({ timeout: CARRIED_WITHIN_MS });
  await phone.hears(/automatic assistant/);

  await phone.write('I want to speak to a person');
  await thread.getByText(SAID['messages.held'], { exact: true }).waitFor({ timeout: CARRIED_WITHIN_MS });
  await thread.locator('.count').getByText('1', { exact: true }).waitFor();
  await keepPicture(page, 'conversations-unread');
  await thread.click();
  const talk = page.getByRole('region', { name: `Conversation with ${phone.name}` });
  await talk.getByText(SAID['messages.handed_over'].replace('{why}', SAID['handed.asked'])).waitFor();
  await talk.getByText(/Understood: wants to speak with a person/).waitFor();
  await thread.locator('.count').waitFor({ state: 'detached' });
  await talk.getByRole('combobox', { name: SAID['messages.assignee'] }).selectOption({ index: 1 });

  // What is heard while the conversation is open stands there by itself.
  await phone.write('Are you there?');
  await talk.getByRole('log').getByText('Are you there?').waitFor({ timeout: CARRIED_WITHIN_MS });
  await talk.getByText(/^WhatsApp open for 23 h/).waitFor();
  const words = talk.getByRole('textbox', { name: SAID['messages.write'] });
  await words.press('/');
  await page.getByRole('combobox', { name: SAID['canned.find'] }).fill('Wait');
  await page.getByRole('option', { name: /Wait for us/ }).waitFor();
  await page.keyboard.press('Enter');
  await words.press('Control+Enter');
  const said = talk.getByRole('article').filter({ hasText: 'We call you in ten minutes.' });
  await phone.hears(/We call you in ten minutes\. \S/);
  await said.getByText(SAID['message.read'], { exact: true }).waitFor({ timeout: CARRIED_WITHIN_MS });
  await assertWell(page);
  await keepPicture(page, 'conversations');

  await talk.getByRole('button', { name: SAID['messages.give_back'] }).click();
  await talk.getByText(SAID['messages.by_reception']).waitFor();
  await phone.write('menu');
  await talk.getByRole('article').filter({ hasText: SAID['author.reception'] }).last().waitFor();
  await phone.hears(/help/i);
  await phone.page.context().close();
  await page.context().close();
});

test('what does not arrive is shown with why, in the conversation and among what did not arrive', async () => {
  const patient = { name: 'Sunil Shah', phone: WITHOUT_WHATSAPP, birth_date: '1979', accept_duplicate: true };
  const { id: patient_id } = await api.post('patients', patient);
  const { id } = await api.post('conversations', { patient_id });
  const page = await openMessages();
  await page.getByText(SAID['messages.none_failed']).waitFor();
  await api.post(`conversations/${id}/messages`, { template: 'carepost_write_back' });
  const row = page.getByRole('row').filter({ hasText: /We have a message for you/ }).filter({ hasText: SAID['message.failed'] });
  await row.waitFor({ timeout: CARRIED_WITHIN_MS });
  await assertWell(page);
  await keepPicture(page, 'conversations-failed');
  await row.getByRole('button', { name: SAID['messages.open'] }).click();
  const talk = page.getByRole('region', { name: 'Conversation with Sunil Shah' });
  await talk.getByRole('article').getByText(new RegExp(SAID['failure.not-reached'])).waitFor();
  await page.getByRole('complementary', { name: /Sunil Shah/ }).waitFor();
  await assertWell(page);
  await page.context().close();
});

test('on a telephone there is room for the conversations, or for the one that is open', async () => {
  const phone = await openPhone(3);
  await phone.write('नमस्ते');
  const page = await openMessages();
  const thread = page.locator('button.thread').filter({ hasText: phone.name });
  await thread.waitFor({ timeout: CARRIED_WITHIN_MS });
  await page.setViewportSize(HAND);
  await assertWell(page);
  await keepPicture(page, 'conversations-hand');
  await thread.click();
  const talk = page.getByRole('region', { name: `Conversation with ${phone.name}` });
  await talk.getByText('नमस्ते', { exact: true }).waitFor();
  await thread.waitFor({ state: 'hidden' });
  await assertWell(page);
  await keepPicture(page, 'conversations-hand-open');
  await talk.getByRole('button', { name: SAID['messages.back'] }).click();
  await thread.waitFor();
  await phone.page.context().close();
  await page.context().close();
});
