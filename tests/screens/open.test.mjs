// Each screen opens from a box without the internet, and is well.
import { after, before, test } from 'node:test';
import { BOARD, DESK, KIOSK, assertWell, keepPicture, openBrowser, openScreen } from './browser.mjs';
import { openDemo } from './clinic.mjs';

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
