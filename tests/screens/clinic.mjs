// A clinic for one test file: the real program, in a folder that is thrown away.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { signIn } from './api.mjs';
import { PROGRAM, freePort, isReady } from '../serving.mjs';

/** How long making the demonstration data and starting may take: a debug build on a busy machine. */
const START_MS_MAX = 120_000;
/** How long the program may take to finish what it acknowledged. */
const STOP_MS_MAX = 20_000;
/** The hour that it is in the clinic, at whatever hour the tests run: no test meets midnight or a session's end. */
const HOUR = 10;

export const CLERK = { username: 'reception', name: 'Asha Rao', password: 'a clerk of this test' };
export const ADMIN = { username: 'owner', name: 'Kiran Shetty', password: 'an owner of this test' };

/**
 * Starts `carepost demo` and waits until it is ready.
 *
 * `close()` stops it as Ctrl-C does and throws unless it ends well.
 */
export async function openDemo() {
  const folder = await mkdtemp(join(tmpdir(), 'carepost-screens-'));
  return serve(folder, (address) => ['demo', '--listen', address, '--data', join(folder, 'clinic')]);
}

/**
 * Founds a clinic with nothing in it but `CLERK` and `ADMIN`, where it is ten in the morning, and serves it.
 *
 * `api` asks as the administrator; `today` is the clinic's date.
 */
export async function openClinic() {
  const folder = await mkdtemp(join(tmpdir(), 'carepost-screens-'));
  const data = join(folder, 'clinic');
  await run(['init', '--data', data, '--name', 'Sanjeevini Clinic', '--timezone', zoneWhereItIs(HOUR)]);
  for (const [{ username, name, password }, role] of [[ADMIN, 'admin'], [CLERK, 'clerk']]) {
    await run(['user', 'add', '--data', data, '--username', username, '--name', name, '--role', role], password);
  }
  const clinic = await serve(folder, (address) => ['serve', '--listen', address, '--data', data]);
  const api = await signIn(clinic.url, ADMIN);
  return { ...clinic, api, today: (await api.get('clinic')).today };
}

/** A practitioner who sees people all day, every day, in a room of their own. */
export async function addPractitioner(api, name, { room: door = 'Room 1', specialties = ['general medicine'], minutes = 15 } = {}) {
  const room = await api.post('locations', { name: door, kind: 'room' });
  const practitioner = await api.post('practitioners', { name, specialties, location_id: room.id });
  await api.post('schedules', {
    practitioner_id: practitioner.id,
    weekdays: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
    start: '08:00',
    end: '18:00',
    slot_minutes: minutes,
    location_id: room.id,
  });
  return { ...practitioner, room: room.name };
}

/** The slot of a practitioner today at a time of the wall clock. */
export async function slotAt(clinic, practitioner, time) {
  const query = `slots?practitioner=${practitioner.id}&from=${clinic.today}&to=${dayAfter(clinic.today)}&all=true&limit=100`;
  const { items } = await clinic.api.get(query);
  const slot = items.find(({ start }) => start.startsWith(`${clinic.today}T${time}`));
  if (!slot) throw new Error(`${practitioner.name} has no slot at ${time}`);
  return slot;
}

/** Books a new patient with a practitioner today at a time. */
export async function book(clinic, practitioner, time, patient) {
  const known = patient.id ? patient : await clinic.api.post('patients', { accept_duplicate: true, ...patient });
  const slot = await slotAt(clinic, practitioner, time);
  return clinic.api.post('appointments', { patient_id: known.id, slot_id: slot.id });
}

export function dayAfter(date) {
  return new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

async function serve(folder, argumentsAt) {
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  const program = spawn(PROGRAM, argumentsAt(address), { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(program, 'exit').catch((error) => [error.message, null]);
  let printed = '';
  for (const stream of [program.stdout, program.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (printed += text));
  }

  async function close() {
    if (program.exitCode === null && program.signalCode === null) program.kill('SIGINT');
    const late = setTimeout(() => program.kill('SIGKILL'), STOP_MS_MAX);
    const [code, signal] = await ended.finally(() => clearTimeout(late));
    await rm(folder, { recursive: true, force: true });
    if (code !== 0) throw new Error(`carepost ended with ${code ?? signal}:\n${printed}`);
  }

  const deadline = Date.now() + START_MS_MAX;
  while (!(await isReady(url))) {
    const isOver = await Promise.race([ended.then(() => true), after(50, false)]);
    if (isOver || Date.now() > deadline) {
      program.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
      const [code, signal] = await ended;
      throw new Error(`carepost did not become ready (${code ?? signal}):\n${printed}`);
    }
  }
  return { url, folder, close };
}

async function run(words, input = '') {
  const program = spawn(PROGRAM, words, { stdio: ['pipe', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [program.stdout, program.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (printed += text));
  }
  program.stdin.end(`${input}\n`);
  const [code] = await once(program, 'close');
  if (code !== 0) throw new Error(`carepost ${words[0]} ended with ${code}:\n${printed}`);
}

/** A zone of whole hours in which it is that hour now. Its names count westwards: `Etc/GMT-5` is five hours ahead. */
function zoneWhereItIs(hour) {
  const ahead = ((hour - new Date().getUTCHours() + 36) % 24) - 12;
  if (ahead === 0) return 'Etc/GMT';
  return `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}
