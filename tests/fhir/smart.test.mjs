// SMART Backend Services from outside: a client is registered at the command line, signs with node's own
// cryptography, and asks the real program.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHmac, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { PROGRAM, freePort, isReady } from '../serving.mjs';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** How long starting may take: a debug build on a busy machine. */
const START_MS_MAX = 60_000;
/** What the command line writes is in force after a second. */
const KNOWN_MS = 1_100;

const keys = {
  RS384: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
};
let folder, data, program, url, configuration, client;

const run = async (...words) => (await promisify(execFile)(PROGRAM, words)).stdout.trim();
const inFolder = (name) => join(folder, name);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carepost-smart-'));
  data = inFolder('clinic');
  await run('init', '--data', data, '--name', 'Shanti Clinic', '--timezone', 'Asia/Kolkata');
  const published = Object.entries(keys).map(([alg, { publicKey }]) => {
    return { ...publicKey.export({ format: 'jwk' }), kid: alg, alg, use: 'sig' };
  });
  await writeFile(inFolder('keys.json'), JSON.stringify({ keys: published }));
  client = await register('system/Patient.rs system/Appointment.cruds');
  const address = `127.0.0.1:${await freePort()}`;
  url = `http://${address}`;
  program = spawn(PROGRAM, ['serve', '--data', data, '--listen', address], { stdio: 'inherit' });
  const deadline = Date.now() + START_MS_MAX;
  while (!(await isReady(url))) {
    assert.ok(Date.now() < deadline && program.exitCode === null, 'carepost did not become ready');
    await wait(50);
  }
  configuration = await (await fetch(`${url}/fhir/.well-known/smart-configuration`)).json();
});

after(async () => {
  if (program?.exitCode === null) {
    program.kill('SIGTERM');
    await once(program, 'exit');
  }
  await rm(folder, { recursive: true, force: true });
});

function register(scope) {
  const words = ['--name', 'HIS', '--role', 'integrator', '--scope', scope, '--jwks', inFolder('keys.json')];
  return run('token', 'create', '--data', data, ...words);
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** An assertion that is good but for what is said otherwise. */
function assertion(alg, { header = {}, claims = {}, by = signature } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const said = { iss: client, sub: client, aud: configuration.token_endpoint, exp: now + 240, jti: randomUUID() };
  const message = `${part({ typ: 'JWT', alg, kid: alg, ...header })}.${part({ ...said, ...claims })}`;
  return `${message}.${by(alg, message)}`;
}

function signature(alg, message) {
  const key = { key: keys[alg].privateKey, ...(alg === 'ES384' ? { dsaEncoding: 'ieee-p1363' } : {}) };
  return sign('sha384', Buffer.from(message), key).toString('base64url');
}

async function ask(text, scope = 'system/*.rs') {
  const form = { grant_type: 'client_credentials', scope, client_assertion_type: ASSERTION_TYPE, client_assertion: text };
  const answer = await fetch(configuration.token_endpoint, { method: 'POST', body: new URLSearchParams(form) });
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.match(answer.headers.get('content-type'), /^application\/json/);
  return { status: answer.status, ...(await answer.json()) };
}

async function denied(text, error, scope) {
  const answer = await ask(text, scope);
  assert.equal(answer.error, error, JSON.stringify(answer));
  assert.ok([400, 401].includes(answer.status));
}

async function read(path, token) {
  const answer = await fetch(`${url}${path}`, { headers: { Authorization: `Bearer ${token}` } });
  return { status: answer.status, body: await answer.json() };
}

test('what a client has to know is said without signing in, and twice the same', async () => {
  assert.equal(configuration.token_endpoint, `${url}/auth/token`);
  assert.deepEqual(configuration.grant_types_supported, ['client_credentials']);
  assert.deepEqual(configuration.token_endpoint_auth_methods_supported, ['private_key_jwt']);
  assert.ok(configuration.capabilities.includes('client-confidential-asymmetric'));
  const { rest } = await (await fetch(`${url}/fhir/metadata`)).json();
  const [{ extension }] = rest[0].security.extension;
  assert.deepEqual(extension, [{ url: 'token', valueUri: configuration.token_endpoint }]);
});

test('a client that signs with either algorithm reads what it was registered for and nothing else', async () => {
  for (const alg of configuration.token_endpoint_auth_signing_alg_values_supported) {
    const granted = await ask(assertion(alg));
    assert.deepEqual(
      [granted.status, granted.token_type, granted.expires_in, granted.scope],
      [200, 'bearer', 300, 'system/Appointment.rs system/Patient.rs'],
    );
    const token = granted.access_token;
    assert.equal((await read('/fhir/Patient', token)).status, 200);
    const other = await read('/fhir/Practitioner', token);
    assert.equal(other.status, 403);
    assert.match(other.body.issue[0].diagnostics, /system\/Practitioner\.s$/);
    assert.equal((await read('/fhir/Patient?_has:Encounter:patient:status=planned', token)).status, 403);
    assert.equal((await read('/api/v1/prm/patients', token)).status, 403);
  }
});

test('what a key of the client did not sign, for this box, for now and once, is refused', async () => {
  const now = Math.floor(Date.now() / 1000);
  const once = assertion('ES384');
  assert.equal((await ask(once)).status, 200);
  await denied(once, 'invalid_client');
  const unsigned = () => '';
  const secret = (_, message) => createHmac('sha384', JSON.stringify(keys)).update(message).digest('base64url');
  for (const wrong of [
    { claims: { aud: `${url}/fhir` } },
    { claims: { exp: now - 1 } },
    { claims: { exp: now + 3600 } },
    { claims: { iss: randomUUID() } },
    { claims: { jti: undefined } },
    { header: { kid: 'RS384' } },
    { header: { kid: undefined } },
    { header: { alg: 'none' }, by: unsigned },
    { header: { alg: 'HS384' }, by: secret },
    { header: { jku: 'https://his.example/keys' } },
    { by: (_, message) => signature('ES384', `${message} `) },
    { by: (_, message) => sign('sha384', Buffer.from(message), keys.ES384.privateKey).toString('base64url') },
  ]) {
    await denied(assertion('ES384', wrong), 'invalid_client');
  }
  await denied(assertion('ES384'), 'invalid_scope', 'system/Observation.rs');
});

test('a client that is revoked is out, and all that it was granted', async () => {
  const { access_token } = await ask(assertion('RS384'));
  const listed = (await run('token', 'list', '--data', data)).split('\n').map((line) => line.split('\t'));
  const row = listed.find(([id]) => id === client);
  assert.deepEqual(row.slice(-2), ['client', 'system/Appointment.cruds system/Patient.rs']);
  await run('token', 'revoke', '--data', data, client);
  await wait(KNOWN_MS);
  assert.equal((await read('/fhir/Patient', access_token)).status, 401);
  await denied(assertion('RS384'), 'invalid_client');
});

test('what is registered is looked at before it is kept', async () => {
  const create = ['token', 'create', '--data', data, '--name', 'x', '--role', 'integrator'];
  const privately = { keys: [{ ...keys.ES384.privateKey.export({ format: 'jwk' }), kid: 'x' }] };
  await writeFile(inFolder('private.json'), JSON.stringify(privately));
  for (const [words, said, code] of [
    [['--scope', 'system/Patient.rs', '--jwks', inFolder('private.json')], /private key/, 1],
    [['--scope', 'system/Patient.rs', '--jwks', 'http://his.example/keys'], /https/, 1],
    [['--scope', 'system/Patient.rs', '--jwks', 'https://127.0.0.1/keys'], /private network/, 1],
    [['--scope', 'system/Patient.rs?name=x'], /narrowed by a search/, 2],
    [['--scope', 'user/Patient.rs'], /system\//, 2],
    [['--jwks', inFolder('keys.json')], /--scope/, 2],
  ]) {
    await assert.rejects(run(...create, ...words), (error) => {
      assert.match(error.stderr, said);
      assert.equal(error.code, code, error.stderr);
      return error.stderr.trim().split('\n').length === 1;
    });
  }
});

test('a bearer token can be narrowed to scopes, too', async () => {
  const words = ['--name', 'x', '--role', 'integrator', '--scope', 'system/Patient.read'];
  const token = await run('token', 'create', '--data', data, ...words);
  assert.equal((await read('/fhir/Patient', token)).status, 200);
  assert.equal((await read('/fhir/Appointment', token)).status, 403);
  assert.equal((await read('/api/v1/prm/patients', token)).status, 403);
});
