// A clinic for one test file: the real program with its demonstration data, in a folder that is thrown away.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const PROGRAM = process.env.CAREPOST ?? fileURLToPath(new URL('../../target/debug/carepost', import.meta.url));

/** How long making the demonstration data and starting may take: a debug build on a busy machine. */
const START_MS_MAX = 120_000;
/** How long the program may take to finish what it acknowledged. */
const STOP_MS_MAX = 20_000;

/**
 * Starts `carepost demo` and waits until it is ready.
 *
 * `printed()` is all that it has said so far, sign-ins included; `close()` stops it as Ctrl-C does and throws
 * unless it ends well.
 */
export async function openClinic(options = []) {
  const folder = await mkdtemp(join(tmpdir(), 'carepost-screens-'));
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  const program = spawn(PROGRAM, ['demo', '--listen', address, '--data', join(folder, 'clinic'), ...options], {
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
  }

  const deadline = Date.now() + START_MS_MAX;
  while (!(await isReady(url))) {
    const isOver = await Promise.race([ended.then(() => true), after(50, false)]);
    if (isOver || Date.now() > deadline) {
      program.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
      const [code, signal] = await ended;
      throw new Error(`carepost demo did not become ready (${code ?? signal}):\n${printed}`);
    }
  }
  return { url, folder, printed: () => printed, close };
}

async function isReady(url) {
  try {
    return (await fetch(`${url}/readyz`)).ok;
  } catch {
    return false;
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
