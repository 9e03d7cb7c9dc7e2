// What the desk says of the cloud: the demonstration with a hub beside it, and a line that is cut and healed.
import { equal } from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertWell, keepPicture, openBrowser } from './browser.mjs';
import { openDemo } from './clinic.mjs';
import { openDesk, openPage, wordsOf } from './people.mjs';

/** One of the sign-ins that `carepost demo` prints. */
const ADMIN = { username: 'admin', password: 'ashwini-demo' };
const SAID = wordsOf('desk');
/** All records of the demonstration are told at first. */
const TOLD_WITHIN_MS = 90_000;

let clinic;
let browser;

before(async () => {
  clinic = await openDemo();
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await clinic?.close();
});

test('the desk says that all is told, that the line is down, and that all is told again', async () => {
  const page = await openDesk(browser, clinic, ADMIN);
  const foot = page.getByRole('contentinfo');
  await foot.getByText(/^All told to the cloud/).waitFor({ timeout: TOLD_WITHIN_MS });
  await assertWell(page);
  await keepPicture(page, 'sync-told');

  await foot.getByRole('button', { name: SAID['sync.cut'] }).click();
  await foot.getByText(/the line (to the cloud )?is down/).waitFor();
  await assertWell(page);
  await openPage(page, 'sync');
  await page.getByRole('main').getByText(/the line (to the cloud )?is down/).waitFor();
  await assertWell(page);
  await keepPicture(page, 'sync-line-down');

  await foot.getByRole('button', { name: SAID['sync.heal'] }).click();
  await foot.getByText(/^All told to the cloud/).waitFor();
  await page.getByRole('button', { name: SAID['sync.now'] }).click();
  equal(await page.getByRole('main').getByText(/^All told to the cloud/).count(), 1);
  await keepPicture(page, 'sync-page');
  await page.context().close();
});
