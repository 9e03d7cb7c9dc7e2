// Whoever sits at the desk gives themselves another password.
import { equal } from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertWell, keepPicture, openBrowser } from './browser.mjs';
import { CLERK, addPractitioner, openClinic } from './clinic.mjs';
import { openDesk, wordsOf } from './people.mjs';

const SAID = wordsOf('desk');
const FRESH = 'another password of this test';

let clinic;
let browser;

before(async () => {
  clinic = await openClinic();
  browser = await openBrowser();
  await addPractitioner(clinic.api, 'Dr. Meenakshi Iyer');
});

after(async () => {
  await browser?.close();
  await clinic?.close();
});

test('a wrong current password is said beside it; the right one makes the new one good, and one goes on working', async () => {
  const page = await openDesk(browser, clinic, CLERK);
  await page.getByRole('button', { name: CLERK.name }).click();
  await page.getByRole('menuitem', { name: SAID['password.change'], exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('input[name=current]:focus').waitFor();
  await page.keyboard.type('not the password');
  await page.keyboard.press('Tab');
  await page.keyboard.type(FRESH);
  await page.keyboard.press('Tab');
  await page.keyboard.type(`${FRESH}, mistyped`);
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').getByText(SAID['password.differ']).waitFor();

  await dialog.locator('input[name=again]').fill(FRESH);
  await page.keyboard.press('Enter');
  const wrong = dialog.getByRole('alert').getByText(SAID['password.wrong']);
  await wrong.waitFor();
  const current = dialog.locator('input[name=current]');
  equal(await current.getAttribute('aria-describedby'), await wrong.getAttribute('id'));
  equal(await dialog.locator('input[name=new]').inputValue(), FRESH, 'what was typed stays');
  await assertWell(page);
  await keepPicture(page, 'password-wrong');

  await current.fill(CLERK.password);
  await page.keyboard.press('Enter');
  await page.getByText(SAID['done.own_password']).waitFor();
  await dialog.waitFor({ state: 'detached' });
  // The session goes on.
  await page.getByRole('button', { name: SAID['day.later'], exact: true }).click();
  await page.locator('.grid').waitFor();
  equal(await page.getByRole('dialog').count(), 0);
  await assertWell(page);
  await page.context().close();

  const again = await openDesk(browser, clinic, { ...CLERK, password: FRESH });
  await again.context().close();
});
