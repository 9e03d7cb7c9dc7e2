// A clinic for one test file: the real program with the demonstration's records, in a folder that is thrown away.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { promisify } from 'node:util';
import { PROGRAM, freePort, isReady } from '../serving.mjs';

/** How long making the demonstration's records and starting may take: a debug build on a busy machine. */
const START_MS_MAX = 120_000;
/** How long the program may take to finish what it acknowledged. */
const STOP_MS_MAX = 20_000;

/**
 * Starts `carepost demo`, waits until the box is ready, and makes bearer tokens.
 *
 * `base` is the address of FHIR, `data` the folder of the box, `token` that of another system, `admin` that of who may see all. `memory()`
 * is the most memory that the program ever held, in MiB; none where the system does not say. `said()` is what it
 * printed. `close()` stops it as Ctrl-C does and throws unless it ends well.
 */
export async function openClinic() {
  const folder = await mkdtemp(join(tmpdir(), 'carepost-fhir-'));
  const data = join(folder, 'clinic');
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  const program = spawn(PROGRAM, ['demo', '--listen', address, '--data', data], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
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
    if (printed.includes('panicked')) throw new Error(`carepost panicked:\n${printed}`);
  }

  async function memory() {
    const status = await readFile(`/proc/${program.pid}/status`, 'utf8').catch(() => '');
    const [, kibibytes] = /VmHWM:\s+(\d+) kB/.exec(status) ?? [];
    return kibibytes && Math.round(kibibytes / 1024);
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
  const [token, admin] = await Promise.all(['integrator', 'admin'].map((role) => makeToken(data, role)));
  return { base: `${url}/fhir`, data, token, admin, said: () => printed, memory, close };
}

async function makeToken(data, role) {
  const words = ['token', 'create', '--data', data, '--name', `another system as ${role}`, '--role', role];
  const { stdout } = await promisify(execFile)(PROGRAM, words);
  return stdout.trim();
}
