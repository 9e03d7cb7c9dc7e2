// Webhooks of providers at a hub and at a box that run, signed by others' implementations (with_signers.py): what is genuine is
// taken once, everything else is refused by the answer that its sender understands.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

import { PROGRAM, freePort, isReady } from '../serving.mjs';
import { openClinic } from './clinic.mjs';
import { python } from './python.mjs';

const HUB = PROGRAM.replace(/carepost$/, 'carepost-hub');
const ACCOUNTS = {
  account_sid: `AC${'5'.repeat(32)}`,
  number: '+918045678901',
  auth_token: '0123456789abcdef0123456789abcdef',
  phone_number_id: '200300400500600',
  app_secret: 'app-secret-of-nobody-else',
  verify_token: 'token-of-the-handshake',
  agent: `whsec_${Buffer.from('a key of thirty-two bytes, say it').toString('base64')}`,
};
const NAME = 'Clinic of webhooks';
const PUBLIC = { hub: 'https://hub.example', box: 'https://box.example' };

/** How long a hub may take to start on a busy machine. */
const START_MS_MAX = 60_000;

let clinic;
let folder;
let hub;
let services;

/** Runs a command with secrets on its standard input. */
function give(program, words, secrets) {
  const running = promisify(execFile)(program, words);
  running.child.stdin.end(secrets.map((secret) => `${secret}\n`).join(''));
  return running;
}

/** Starts a hub with one clinic; answers where it is. */
async function openHub(data) {
  await promisify(execFile)(HUB, ['clinic', 'add', NAME, '--data', data]);
  const address = `127.0.0.1:${await freePort()}`;
  const words = ['serve', '--listen', address, '--public-url', PUBLIC.hub, '--data', data];
  hub = spawn(HUB, words, { stdio: 'ignore' });
  const deadline = Date.now() + START_MS_MAX;
  while (!(await isReady(`http://${address}`))) {
    assert.ok(Date.now() < deadline && hub.exitCode === null, 'the hub starts');
    await pause(50);
  }
  return `http://${address}`;
}

before(async () => {
  process.env.CAREPOST_HTTP__HOSTS = '["box.example"]';
  process.env.CAREPOST_HTTP__PUBLIC_URL = PUBLIC.box;
  clinic = await openClinic();
  folder = await mkdtemp(join(tmpdir(), 'carepost-webhooks-'));
  const data = join(folder, 'hub');
  const address = await openHub(data);
  const { account_sid, number, auth_token, phone_number_id, app_secret, verify_token, agent } = ACCOUNTS;
  const twilio = ['twilio', '--account-sid', account_sid, '--number', number];
  const meta = ['meta', '--phone-number-id', phone_number_id];
  const atHub = ['channel', 'add', '--clinic', NAME, '--data', data];
  await give(HUB, [...atHub, ...twilio], [auth_token]);
  await give(HUB, [...atHub, ...meta], ['access-token', app_secret, verify_token]);
  await give(HUB, [...atHub, 'voice-agent'], [agent]);
  const atBox = ['channel', 'add', '--data', clinic.data];
  await give(PROGRAM, [...atBox, ...twilio], [auth_token]);
  await give(PROGRAM, [...atBox, ...meta], [app_secret, verify_token]);
  await give(PROGRAM, [...atBox, 'voice-agent'], [agent]);
  services = [
    { name: 'hub', address, public: PUBLIC.hub, accounts: ACCOUNTS },
    { name: 'box', address: clinic.base.replace(/\/fhir$/, ''), public: PUBLIC.box, accounts: ACCOUNTS },
  ];
});

after(async () => {
  await clinic?.close();
  if (hub?.exitCode === null) {
    hub.kill();
    await once(hub, 'exit');
  }
  if (folder) await rm(folder, { recursive: true, force: true });
});

test('hub and box take what others sign, once, and refuse what is forged, old, altered, too long or malformed', async (context) => {
  const missing = await python('with_signers.py', { SERVICES: JSON.stringify(services) });
  if (missing) context.skip(missing);
});
