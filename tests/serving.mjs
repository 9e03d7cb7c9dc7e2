// What every test from outside needs to start the real program.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/** The program; `CAREPOST` names another one than the debug build. */
export const PROGRAM = process.env.CAREPOST ?? fileURLToPath(new URL('../target/debug/carepost', import.meta.url));

// What little room a build server has left is enough for the pictures of tests.
process.env.CAREPOST_MEDIA__FREE_MEGABYTES = '64';

/** Whether the box at this address says that it is ready. */
export async function isReady(url) {
  try {
    return (await fetch(`${url}/readyz`)).ok;
  } catch {
    return false;
  }
}

/** A port of this machine that nothing listened on a moment ago. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
