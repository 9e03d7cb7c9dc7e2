// Whatever is sent to the door, the box answers with an OperationOutcome and stays small: no status of
// 500 or above, no connection that just ends. What it takes of all that is valid R4.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { after, afterEach, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { BODIES, EXPRESSIONS, HEADERS, PATCHES, PATHS, QUERIES } from './attacks.mjs';
import { openClinic } from './clinic.mjs';
import { answerErrors, assertStatus, openDoor } from './door.mjs';
import * as exact from './exact.mjs';
import * as examples from './examples.mjs';
import { changed, damaged, random } from './mutants.mjs';
import { redirect } from './references.mjs';

/** The most memory that the box may have held at the end, in MiB. The debug build held 230 to 520 from run to run; millions of values are gigabytes. */
const MEMORY_MIB_MAX = 640;
/** How many mutants are made of elements, and of bytes. */
const MUTANTS = Number(process.env.FHIR_MUTANTS ?? 1_200);
/** The most entries that a bundle may have. */
const ENTRIES_MAX = 10_000;
/** Types whose elements the box keeps without asking for each rule: they define FHIR and its tests. */
const UNRULED = /^(StructureDefinition|ImplementationGuide|Test\w+)-/;
const SEED = Number(process.env.FHIR_SEED ?? 20_261_121);

let clinic;
let door;
/** What was wrong with answers so far. */
const faults = [];

before(async () => {
  clinic = await openClinic();
  door = openDoor(clinic);
});

afterEach(() => {
  const found = faults.splice(0);
  assert.equal(found.length, 0, `${found.length} answers are wrong:\n${found.slice(0, 20).join('\n')}`);
});

after(async () => {
  const memory = await clinic?.memory();
  console.log(`the most memory of the box: ${memory} MiB`);
  await clinic?.close();
  assert.ok(!(memory > MEMORY_MIB_MAX), `${memory} MiB`);
});

/** Sends these very bytes, with nothing made tidy on the way; what is wrong with the answer is noted. */
async function send(method, path, body, headers = {}) {
  const { hostname, port } = new URL(clinic.base);
  const own = { Authorization: `Bearer ${clinic.token}`, 'Content-Type': 'application/fhir+json', Connection: 'close' };
  const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
  const asked = request({ hostname, port, method, path: `/fhir${path}`, headers: { ...own, ...length, ...headers } });
  // Who is answered early may be cut off while it still sends.
  asked.on('error', () => {});
  if (headers.Expect) asked.once('continue', () => asked.end(body)).flushHeaders();
  else asked.end(body);
  let answer;
  const parts = [];
  try {
    [answer] = await once(asked, 'response');
    for await (const part of answer) parts.push(part);
  } catch (error) {
    faults.push(`${method} ${path.slice(0, 200)}: the connection ended: ${error.message}`);
    return { status: 0, text: '' };
  }
  const text = Buffer.concat(parts).toString();
  const found = answerErrors({ status: answer.statusCode, get: (name) => answer.headers[name], text, method });
  const said = `${method} ${path.slice(0, 200)} ${JSON.stringify(headers)} ${String(body ?? '').slice(0, 300)}`;
  if (found.length) faults.push(`${said}\n  answered ${answer.statusCode} ${text.slice(0, 500)}\n  ${found.slice(0, 5).join('\n  ')}`);
  return { status: answer.statusCode, text };
}

function assertRefused(answers) {
  for (const { status, text } of answers) assert.ok(status >= 400, `${status} ${text.slice(0, 300)}`);
}

test('of mutated examples nothing is taken that is not valid', async () => {
  const next = random(SEED);
  const names = examples.names().filter((name) => examples.text(name).length < 30_000 && !UNRULED.test(name));
  const statuses = new Map();
  for (let index = 0; index < MUTANTS; index += 1) {
    const name = names[Math.floor(next() * names.length)];
    const resource = redirect(JSON.parse(examples.text(name)), () => undefined);
    const body = index % 4 === 0 ? damaged(JSON.stringify(resource), next) : changed(resource, next);
    const { status } = await send('POST', `/${resource.resourceType}`, body);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  console.log(`mutants of the seed ${SEED}: ${[...statuses].sort().map((it) => it.join(' × ')).join(', ')}`);
});

test('mutated transactions are taken or refused as a whole', async () => {
  const next = random(SEED + 1);
  const bundle = redirect(JSON.parse(examples.text('Bundle-hla-1.json')), () => undefined);
  for (let index = 0; index < 60; index += 1) {
    await send('POST', '', index % 4 === 0 ? damaged(JSON.stringify(bundle), next) : changed(bundle, next));
  }
});

test('what is no JSON of FHIR is refused', async () => {
  for (const body of BODIES) {
    assertRefused([await send('POST', '/Basic', body), await send('PUT', '/Basic/one', body), await send('POST', '', body)]);
  }
  // What changes the meaning of a record is not left out of account.
  const person = (inner) => `{"resourceType":"Patient","name":[{"text":"A B"}],${inner}}`;
  const modifier = '"modifierExtension":[{"url":"http://example.org/not","valueBoolean":true}]';
  const link = `"link":[{${modifier},"type":"seealso","other":{"display":"x"}}]`;
  for (const inner of [modifier, '"implicitRules":"http://example.org/rules"', link]) {
    assertRefused([await send('POST', '/Patient', person(inner))]);
  }
});

test('numbers and texts of any length come back as they were, or are refused', async () => {
  const digits = ['0.1', '1.50', `1.${'0'.repeat(300)}`, `1${'0'.repeat(300)}`, '1e300', '-1E-300', '-0', '-0.0'];
  for (const value of digits) {
    const body = `{"resourceType":"Basic","code":{"text":"a"},"extension":[{"url":"http://example.org/n","valueDecimal":${value}}]}`;
    const made = await send('POST', '/Basic', body);
    const there = () => exact.parse(made.text).extension[0].valueDecimal;
    assert.ok(made.status >= 400 || there() === exact.parse(`[${value}]`)[0], `${value} ${made.text}`);
  }
  for (const text of ['😀', 'ಕನ್ನಡ\u200d', '\u202egnihton', '\\"\\\\/\\b\\f\\n\\r\\t', 'e\u0301', '\\ud83d\\ude00']) {
    const made = await send('POST', '/Basic', `{"resourceType":"Basic","code":{"text":"a${text}"}}`);
    if (made.status < 300) assert.equal(JSON.parse(made.text).code.text, JSON.parse(`"a${text}"`));
  }
});

const GET = '{"request":{"method":"GET","url":"Basic/nothing"}}';
const POST = '{"resource":{"resourceType":"Basic","code":{"text":"a"}},"request":{"method":"POST","url":"Basic"}}';
const bundle = (type, entries) => `{"resourceType":"Bundle","type":"${type}","entry":[${entries.join()}]}`;

test('a transaction of ten thousand entries is done, one entry more is refused', async () => {
  const began = Date.now();
  const answer = await door.post('', bundle('transaction', Array(ENTRIES_MAX).fill(POST)), { Prefer: 'return=minimal' });
  assertStatus(answer, 200);
  assert.equal(answer.resource.entry.length, ENTRIES_MAX);
  assertStatus(await door.post('', bundle('transaction', Array(ENTRIES_MAX + 1).fill('{}'))), 400, 413, 422);
  assertStatus(await door.post('', bundle('transaction', Array(ENTRIES_MAX + 1).fill(GET))), 400, 413, 422);
  console.log(`a transaction of ${ENTRIES_MAX} entries and two refused: ${Date.now() - began} ms`);
});

test('a batch of thousands of entries answers each', async () => {
  const answer = assertStatus(await door.post('', bundle('batch', Array(2_000).fill(GET))), 200);
  assert.ok(answer.resource.entry.every(({ response }) => response.status.startsWith('404')));
});

test('a transaction does the same resource once only', async () => {
  const put = '{"resource":{"resourceType":"Basic","id":"twice","code":{"text":"a"}},"request":{"method":"PUT","url":"Basic/twice"}}';
  const remove = '{"request":{"method":"DELETE","url":"Basic/twice"}}';
  assertRefused([await door.post('', bundle('transaction', [put, put])), await door.post('', bundle('transaction', [put, remove]))]);
  assertStatus(await door.get('Basic/twice'), 404);
  const nested = bundle('transaction', [`{"resource":${bundle('transaction', [POST])},"request":{"method":"POST","url":""}}`]);
  assertRefused([await door.post('', nested)]);
});

test('references in circles are kept, and no answer follows them round', async () => {
  const [one, other] = [`urn:uuid:${crypto.randomUUID()}`, `urn:uuid:${crypto.randomUUID()}`];
  const organization = (own, above) => ({
    fullUrl: own,
    resource: { resourceType: 'Organization', name: 'Circle', partOf: { reference: above } },
    request: { method: 'POST', url: 'Organization' },
  });
  const circle = { resourceType: 'Bundle', type: 'transaction', entry: [organization(one, other), organization(other, one)] };
  const { resource } = assertStatus(await door.post('', circle), 200);
  const [first, second] = resource.entry.map(({ response }) => response.location.match(/Organization\/([^/]+)/)[1]);
  const found = assertStatus(await door.get(`Organization?_id=${first}&_include:iterate=Organization:partof&_revinclude=Organization:partof`), 200);
  assert.deepEqual(found.resource.entry.map((entry) => entry.resource.id).sort(), [first, second].sort());
  const itself = { resourceType: 'Organization', id: first, name: 'Circle', partOf: { reference: `Organization/${first}` } };
  assertStatus(await door.put(`Organization/${first}`, itself), 200, 422);
  const contained = (id, to) => ({ resourceType: 'Organization', id, name: id, partOf: { reference: `#${to}` } });
  const inside = {
    resourceType: 'Patient',
    name: [{ text: 'Round About' }],
    contained: [contained('a', 'b'), contained('b', 'a')],
    managingOrganization: { reference: '#a' },
  };
  await door.post('Patient', inside);
});

test('absurd searches are refused or answered', async () => {
  const types = ['Patient', 'Appointment', 'Slot', 'Observation', 'Task'];
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  for (const query of QUERIES) {
    const few = query.startsWith('_count') ? query : `_count=2&${query}`;
    for (const type of types) await send('GET', `/${type}?${few}`);
    await send('GET', `/Schedule?${few}`, undefined, { Prefer: 'handling=strict' });
    await send('POST', '/Patient/_search', few, form);
    await send('POST', '/Basic', '{"resourceType":"Basic","code":{"text":"a"}}', { 'If-None-Exist': query.slice(0, 4_000) });
    await send('PUT', `/Basic?${query}`, '{"resourceType":"Basic","code":{"text":"a"}}');
  }
});

test('absurd addresses, methods and headers are refused or answered', async () => {
  const basic = '{"resourceType":"Basic","code":{"text":"a"}}';
  for (const path of PATHS) {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']) {
      await send(method, path, ['POST', 'PUT', 'PATCH'].includes(method) ? basic : undefined);
    }
  }
  for (const header of HEADERS) {
    await send('GET', '/Patient?_count=1', undefined, header);
    await send('POST', '/Basic', basic, header);
    await send('PUT', '/Basic/headers', basic.replace('{', '{"id":"headers",'), header);
    const patch = { 'Content-Type': 'application/json-patch+json', ...header };
    await send('PATCH', '/Basic/headers', '[{"op":"add","path":"/language","value":"en"}]', patch);
    await send('DELETE', '/Basic/nothing', undefined, header);
  }
});

test('absurd patches are refused', async () => {
  await send('PUT', '/Basic/patched', '{"resourceType":"Basic","id":"patched","code":{"text":"a"}}');
  const kind = { 'Content-Type': 'application/json-patch+json' };
  for (const body of PATCHES) {
    const { status, text } = await send('PATCH', '/Basic/patched', body, kind);
    assert.ok(status >= 400 || body === '[]', `${body.slice(0, 100)} ${text}`);
  }
  for (const expression of EXPRESSIONS) {
    const part = [{ name: 'type', valueCode: 'delete' }, { name: 'path', valueString: expression }];
    const patch = { resourceType: 'Parameters', parameter: [{ name: 'operation', part }] };
    const { status, text } = await send('PATCH', '/Basic/patched', JSON.stringify(patch));
    assert.ok(status >= 400, `${expression.slice(0, 100)} ${text}`);
  }
});

test('a transaction of many megabytes is done', async () => {
  const large = POST.replace('"text":"a"', `"text":"${'a'.repeat(2_900)}"`);
  const body = bundle('transaction', Array(ENTRIES_MAX).fill(large));
  const { status, text } = await send('POST', '', body, { Prefer: 'return=minimal' });
  assert.equal(status, 200, text.slice(0, 300));
});

test('a body of millions of values does not fill the memory', async () => {
  const values = (count) => Array(count).fill('{"code":"a"}').join();
  const many = POST.replace('"text":"a"', `"coding":[${values(220)}]`);
  // As many as are taken at once: many more are refused before they are there.
  const taken = POST.replace('"text":"a"', `"coding":[${values(20)}]`);
  assertStatus(await door.post('', bundle('transaction', Array(ENTRIES_MAX).fill(taken)), { Prefer: 'return=minimal' }), 200);
  assert.equal((await send('POST', '', bundle('transaction', Array(ENTRIES_MAX).fill(many)))).status, 413);
  assert.equal((await send('POST', '', `{"resourceType":"Bundle","type":"batch","x":[${values(2_000_000)}]}`)).status, 413);
  await send('POST', '/Basic', `{"resourceType":"Basic","code":{"coding":[${values(80_000)}]}}`);
  const memory = await clinic.memory();
  assert.ok(!(memory > MEMORY_MIB_MAX), `${memory} MiB`);
});

test('a body that is too large is refused, and whoever sends it hears so', async () => {
  const large = (bytes) => `{"resourceType":"Basic","code":{"text":"${'a'.repeat(bytes)}"}}`;
  assert.equal((await send('POST', '/Basic', large(12 * 1024 * 1024))).status, 413);
  assert.equal((await send('PUT', '/Basic/large', large(9 * 1024 * 1024))).status, 413);
  assert.equal((await send('POST', '/Patient/_search', large(2 * 1024 * 1024))).status, 415);
  // A bundle may be larger. Who asks whether one of this size is welcome need not send it.
  assert.equal((await send('POST', '', large(40 * 1024 * 1024), { Expect: '100-continue' })).status, 413);
  const packed = gzipSync(Buffer.alloc(64 * 1024 * 1024, 32));
  const { status } = await send('POST', '/Basic', packed, { 'Content-Encoding': 'gzip' });
  assert.ok([400, 413, 415].includes(status), `${status}`);
});
