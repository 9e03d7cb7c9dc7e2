// What people do at the screens, in the words that the screens say: the same files that the screens are built from.
import { readFileSync } from 'node:fs';
import { BOARD, DESK, KIOSK, openScreen } from './browser.mjs';

/** The words of a screen in a language, by their keys. */
export function wordsOf(screen, language = 'en') {
  return JSON.parse(readFileSync(new URL(`../../kiosk/words/${screen}/${language}.json`, import.meta.url), 'utf8'));
}

/** Opens a kiosk or a board that the desk has let in by a link. */
export async function openPaired(browser, clinic, kind, options = {}) {
  const { code } = await clinic.api.post('devices/offer', { kind, name: `The ${kind} of this test` });
  const viewport = kind === 'board' ? BOARD : KIOSK;
  const address = `${clinic.url}/${kind}?pair=${encodeURIComponent(code.replaceAll(/\s/g, ''))}`;
  return openScreen(browser, address, viewport, options);
}

/** Opens the desk and signs in with the keyboard. */
export async function openDesk(browser, clinic, { username, password }, options = {}) {
  const page = await openScreen(browser, `${clinic.url}/desk`, DESK, { locale: 'en-IN', ...options });
  await page.locator('input[name=username]').fill(username);
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await page.getByRole('complementary', { name: wordsOf('desk').queue, exact: true }).waitFor();
  return page;
}

/** An appointment in the desk's grid. */
export function inGrid(page, appointment) {
  return page.locator(`.grid [data-appointment="${appointment.id}"]`);
}

/** Opens a patient's card at the desk with the keyboard. */
export async function openCard(page, name) {
  await page.keyboard.press('/');
  await page.keyboard.type(name);
  await page.getByRole('option').filter({ hasText: name }).first().waitFor();
  await page.keyboard.press('Enter');
  const card = page.getByRole('complementary', { name: `Patient ${name}` });
  await card.waitFor();
  return card;
}

/** Opens a page of the desk by its menu. */
export async function openPage(page, name) {
  const words = wordsOf('desk');
  await page.getByRole('button', { name: words['nav.clinic'], exact: true }).click();
  await page.getByRole('menuitem', { name: words[`page.${name}`], exact: true }).click();
  await page.getByRole('heading', { level: 1, name: words[`page.${name}`], exact: true }).waitFor();
}

/** Touches the kiosk's number keys. */
export async function touchDigits(page, digits) {
  for (const digit of digits) await page.locator('.key').getByText(digit, { exact: true }).click();
}

/** Touches a button of the kiosk by its words. */
export function touch(page, words) {
  return page.getByRole('button').filter({ hasText: words }).first().click();
}

/** At a kiosk without a camera: the language, "I have a booking", and the phone number. */
export async function beginByPhone(page, words, language, phone) {
  await page.locator(`.card[lang=${language}]`).click();
  await touch(page, words.start_booking);
  // It finds no camera and goes on by itself.
  await page.getByText(words.notice_camera_off).waitFor();
  await touchDigits(page, phone);
  await page.getByTestId('next').click();
  await page.getByRole('heading', { name: words.birth_title }).waitFor();
}
