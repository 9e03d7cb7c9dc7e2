// First paint of the kiosk and the desk with the processor slowed down six times; prints the medians as JSON, in ms.
import { signIn } from './api.mjs';
import { DESK, KIOSK, openBrowser } from './browser.mjs';
import { openDemo } from './clinic.mjs';

const TIMES = Number(process.argv[2] ?? 5);
const SLOWER = 6;
const RECEPTION = { username: 'reception', password: 'ashwini-demo' };

const clinic = await openDemo();
const browser = await openBrowser();
const medians = {};
try {
  medians.blank = (await measured('data:text/html,<!doctype html><main>word', KIOSK)).first;
  const kiosk = await measured(`${clinic.url}/kiosk`, KIOSK, await pairedKiosk());
  const desk = await measured(`${clinic.url}/desk`, DESK, await signedInDesk());
  Object.assign(medians, { kiosk: kiosk.first, kiosk_ready: kiosk.ready, desk: desk.first, desk_ready: desk.ready });
} finally {
  await browser.close();
  await clinic.close();
}
process.stdout.write(`${JSON.stringify(medians)}\n`);

/** Opens an address again and again, each time in a browser that has seen nothing yet. */
async function measured(url, viewport, storageState) {
  const rounds = [];
  for (let nth = 0; nth < TIMES; nth += 1) rounds.push(await open(url, viewport, storageState));
  const median = (name) => rounds.map((it) => it[name]).sort((a, b) => a - b)[Math.floor(rounds.length / 2)];
  return { first: median('first'), ready: median('ready') };
}

async function open(url, viewport, storageState) {
  const profile = await browser.newContext({ viewport, storageState, timezoneId: 'Asia/Kolkata' });
  const page = await profile.newPage();
  const session = await profile.newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  await page.goto(url);
  await page.getByRole('main').first().waitFor();
  const ready = await page.evaluate(() => performance.now());
  const painted = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
  const first = await (await page.waitForFunction(painted)).jsonValue();
  await profile.close();
  return { first, ready };
}

/** The cookie of a kiosk that was paired. */
async function pairedKiosk() {
  const api = await signIn(clinic.url, RECEPTION);
  const { code } = await api.post('devices/offer', { kind: 'kiosk', name: 'measured' });
  return cookieAfter('devices/claim', { code });
}

/** The cookie of the reception. */
function signedInDesk() {
  return cookieAfter('session', RECEPTION);
}

async function cookieAfter(path, data) {
  const profile = await browser.newContext();
  const headers = { 'X-Carepost-CSRF': '1' };
  const answer = await profile.request.post(`${clinic.url}/api/v1/prm/${path}`, { headers, data });
  if (!answer.ok()) throw new Error(`${path}: ${answer.status()}`);
  const state = await profile.storageState();
  await profile.close();
  return state;
}
