// The desk lets a screen in by its digits, and shuts it out again.
import { equal } from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { KIOSK, assertWell, keepPicture, openBrowser, openScreen } from './browser.mjs';
import { CLERK, addPractitioner, openClinic } from './clinic.mjs';
import { openDesk, openPaired, touch, wordsOf } from './people.mjs';

const DESK_SAID = wordsOf('desk');
const KIOSK_SAID = wordsOf('kiosk');

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

test('the digits on the kiosk, typed at the desk, let it in; shut out, it serves nobody', async () => {
  const kiosk = await openScreen(browser, `${clinic.url}/kiosk`, KIOSK);
  const code = await kiosk.getByTestId('pairing-code').innerText();
  await assertWell(kiosk);
  await keepPicture(kiosk, 'pairing-1-code');

  const desk = await openDesk(browser, clinic, CLERK);
  await desk.getByRole('button', { name: DESK_SAID['nav.clinic'], exact: true }).click();
  await assertWell(desk);
  await desk.getByRole('menuitem', { name: DESK_SAID['page.devices'], exact: true }).click();
  await desk.getByLabel(DESK_SAID['device.code'], { exact: true }).fill('000000');
  await desk.getByLabel(DESK_SAID['device.name'], { exact: true }).first().fill('Front door');
  const pair = desk.getByRole('button', { name: DESK_SAID['device.pair'], exact: true });
  await pair.click();
  await desk.getByRole('alert').getByText(DESK_SAID['device.code_unknown']).waitFor();
  await assertWell(desk);
  await desk.getByLabel(DESK_SAID['device.code'], { exact: true }).fill(code);
  await pair.click();
  await kiosk.getByRole('heading', { name: KIOSK_SAID.attract_title }).waitFor();
  const row = desk.getByRole('row').filter({ hasText: 'Front door' });
  await row.getByText(DESK_SAID['device.paired'], { exact: true }).waitFor();
  await assertWell(desk);
  await keepPicture(desk, 'pairing-2-desk');

  await row.getByRole('button', { name: DESK_SAID['device.revoke'], exact: true }).click();
  await row.getByRole('button', { name: DESK_SAID['device.revoke_now'], exact: true }).click();
  await row.getByText(DESK_SAID['device.revoked'], { exact: true }).waitFor();
  // Nobody is left standing: whoever is before it is sent to the desk in words.
  await kiosk.locator('.card[lang=en]').click();
  await touch(kiosk, KIOSK_SAID.start_walk_in);
  await kiosk.getByRole('heading', { name: KIOSK_SAID.desk_only_title }).waitFor();
  await assertWell(kiosk);
  await keepPicture(kiosk, 'pairing-3-desk-only');
  await touch(kiosk, KIOSK_SAID.ticket_done);
  const fresh = await kiosk.getByTestId('pairing-code').innerText();
  equal(fresh === code, false, 'the old digits are of no use');
});

test('a board that is shut out shows no queue any more', async () => {
  const board = await openPaired(browser, clinic, 'board');
  await board.getByText(wordsOf('board').no_calls).waitFor();
  await assertWell(board);
  const { items } = await clinic.api.get('devices');
  const { id } = items.find(({ kind, status }) => kind === 'board' && status === 'paired');
  await clinic.api.post(`devices/${id}/revoke`);
  await board.getByTestId('pairing-code').waitFor();
  await assertWell(board);
  await keepPicture(board, 'pairing-4-board');
});
