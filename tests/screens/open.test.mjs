// The demonstration clinic: each screen opens from a box without the internet, and is well with a full day on it.
import { after, before, test } from 'node:test';
import { BOARD, DESK, KIOSK, assertWell, keepPicture, openBrowser, openScreen } from './browser.mjs';
import { openDemo } from './clinic.mjs';
import { openDesk } from './people.mjs';

/** One of the sign-ins that `carepost demo` prints. */
const RECEPTION = { username: 'reception', password: 'ashwini-demo' };

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

for (const [name, viewport] of [['kiosk', KIOSK], ['board', BOARD], ['desk', DESK]]) {
  test(`the ${name} opens without the internet and everybody can use it`, async () => {
    const page = await openScreen(browser, `${clinic.url}/${name}`, viewport);
    await page.getByRole('main').waitFor();
    await assertWell(page);
    await keepPicture(page, `open-${name}`);
    await page.context().close();
  });
}

test('the desk shows the whole day of a clinic with eight practitioners', async () => {
  const page = await openDesk(browser, clinic, RECEPTION);
  // On a Sunday nobody may have a session; the desk says so then.
  await page.locator('.grid .appointment, .diary .empty a').first().waitFor();
  await assertWell(page);
  await keepPicture(page, 'open-desk-day');
  await page.context().close();
});
