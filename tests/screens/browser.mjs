// Chromium as the tests drive it: without the internet, with a camera where one is given, and watched for errors.
import { deepEqual, ok } from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const SCREENSHOTS = process.env.SCREENSHOTS ?? fileURLToPath(new URL('../../target/screens/', import.meta.url));
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** How long anything on a screen may take, on a busy machine. */
const WAIT_MS_MAX = 15_000;

/** A tablet on the wall, the screen in the waiting room, and the computer at the desk. */
export const KIOSK = { width: 1280, height: 800 };
export const BOARD = { width: 1920, height: 1080 };
export const DESK = { width: 1366, height: 768 };

/** Starts a browser; `camera` is the path of a film that it takes for what its camera sees. */
export function openBrowser({ camera } = {}) {
  const flags = [
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    // A screen that asks the internet for anything fails here, as it would in a clinic without a line.
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
  ];
  if (camera) {
    flags.push('--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${camera}`);
    flags.push('--use-fake-ui-for-media-stream');
  }
  // Chromium's sandbox needs a user other than root.
  return chromium.launch({ executablePath: CHROMIUM, args: flags, chromiumSandbox: process.getuid() !== 0 });
}

/** Opens a screen in a profile of its own. `page.errors` gathers what goes wrong in it. */
export async function openScreen(browser, url, viewport, options = {}) {
  const profile = await browser.newContext({ viewport, timezoneId: 'Asia/Kolkata', ...options });
  profile.setDefaultTimeout(WAIT_MS_MAX);
  const page = await profile.newPage();
  page.errors = [];
  page.on('pageerror', (error) => page.errors.push(String(error)));
  page.on('requestfailed', (request) => {
    // Leaving a page ends its live stream, which is as it should be.
    const reason = request.failure()?.errorText;
    if (reason !== 'net::ERR_ABORTED') page.errors.push(`${request.url()}: ${reason}`);
  });
  await page.goto(url);
  return page;
}

/** Fails with what axe finds against WCAG 2.2 AA, and with the errors of the page. */
export async function assertWell(page) {
  // Evaluated rather than added as a script, so that the page's content security policy stays as strict as it is.
  await page.evaluate(await readFile(AXE, 'utf8'));
  const { violations, passes } = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }),
  );
  ok(passes.length > 0, 'axe looked at something');
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((it) => it.html).join(' ')}`);
  deepEqual(found, [], `axe on ${page.url()}`);
  deepEqual(page.errors, [], `errors on ${page.url()}`);
}

/** Keeps a picture for people to look at, below `target/screens`. */
export function keepPicture(page, name) {
  return page.screenshot({ path: `${SCREENSHOTS}/${name}.png` });
}
