// The family of a patient: shown on the card, added to, taken out of again, and the way from card to card.
import { deepEqual, equal } from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertWell, keepPicture, openBrowser } from './browser.mjs';
import { ADMIN, CLERK, addPractitioner, openClinic } from './clinic.mjs';
import { openCard, openDesk, wordsOf } from './people.mjs';

const SAID = wordsOf('desk');

let clinic;
let browser;
let meera;
let lakshmi;

before(async () => {
  clinic = await openClinic();
  browser = await openBrowser();
  await addPractitioner(clinic.api, 'Dr. Meenakshi Iyer');
  meera = await clinic.api.post('patients', { name: 'Meera Narayanan', phone: '9844111160', birth_date: '2016' });
  lakshmi = await clinic.api.post('patients', { name: 'Lakshmi Narayanan', phone: '9844111161', birth_date: '1984' });
});

after(async () => {
  await browser?.close();
  await clinic?.close();
});

test('a relative is found, named and added, and each card leads to the other', async () => {
  const page = await openDesk(browser, clinic, CLERK);
  const card = await openCard(page, 'Meera Narayanan');
  await card.getByRole('button', { name: SAID['card.relate'], exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('input[name=find]:focus').waitFor();
  await assertWell(page);
  // Of the two who are found Enter takes the other; nobody is their own relative.
  await page.keyboard.type('Narayanan');
  await dialog.getByRole('button', { name: /^Lakshmi Narayanan/ }).waitFor();
  equal(await dialog.getByRole('button', { name: /^Meera Narayanan/ }).count(), 0);
  await page.keyboard.press('Enter');
  await dialog.locator('select:focus').waitFor();

  // What the box will not take is said beside the field, and what was chosen stays.
  await dialog.locator('select').selectOption({ label: SAID['relate.own'] });
  await dialog.getByLabel(SAID['relate.own_word'], { exact: true }).fill('   ');
  const add = dialog.getByRole('button', { name: SAID['card.relate'], exact: true });
  await add.click();
  const refusal = dialog.getByRole('alert').getByText(/^This was not possible: /);
  await refusal.waitFor();
  const field = dialog.getByLabel(SAID['relate.own_word'], { exact: true });
  equal(await field.getAttribute('aria-describedby'), await refusal.getAttribute('id'));
  await dialog.getByText('Lakshmi Narayanan').waitFor();
  await assertWell(page);
  await keepPicture(page, 'family-refused');

  await dialog.locator('select').selectOption({ label: SAID['kin.mother'] });
  await add.click();
  await dialog.waitFor({ state: 'detached' });
  await card.getByRole('button', { name: /^Lakshmi Narayanan mother · 4\d years/ }).waitFor();
  await assertWell(page);
  await keepPicture(page, 'family-card');
  deepEqual(await family(meera), [[lakshmi.id, 'mother']]);

  await card.getByRole('button', { name: /^Lakshmi Narayanan/ }).click();
  const other = page.getByRole('complementary', { name: 'Patient Lakshmi Narayanan' });
  await other.getByRole('button', { name: /^Meera Narayanan relative/ }).click();
  await card.waitFor();
  await page.context().close();
});

test('a relative is taken out of the family from either card, and put back by undoing it', async () => {
  await clinic.api.post(`patients/${meera.id}/family`, { patient_id: lakshmi.id, relationship: 'mother' });
  const page = await openDesk(browser, clinic, ADMIN);
  const card = await openCard(page, 'Lakshmi Narayanan');
  const takeOut = SAID['card.unrelate'].replace('{name}', 'Meera Narayanan');
  await card.getByRole('button', { name: takeOut, exact: true }).click();
  const notice = page.locator('.notice').filter({ hasText: SAID['done.unrelate'].replace('{name}', 'Meera Narayanan') });
  await notice.waitFor();
  await card.getByRole('button', { name: /^Meera Narayanan/ }).waitFor({ state: 'detached' });
  deepEqual(await family(meera), []);

  await notice.getByRole('button', { name: SAID.undo, exact: true }).click();
  await card.getByRole('button', { name: /^Meera Narayanan/ }).waitFor();
  deepEqual(await family(meera), [[lakshmi.id, 'mother']], 'in the words in which it was said');
  await page.context().close();
});

async function family({ id }) {
  const { items } = await clinic.api.get(`patients/${id}/family`);
  return items.map((relative) => [relative.id, relative.relationship]);
}
