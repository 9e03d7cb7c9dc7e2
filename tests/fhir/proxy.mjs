// Stands between a client and the door, and checks every answer that the client sees.

import { once } from 'node:events';
import { createServer, request } from 'node:http';

import { answerErrors } from './door.mjs';

/**
 * Opens a way to the box of a clinic.
 *
 * `base` is the address of FHIR for a client; `errors` are what was wrong with the answers so far.
 */
export async function openProxy(clinic) {
  const { host } = new URL(clinic.base);
  const [hostname, port] = host.split(':');
  const errors = [];
  const seen = [];
  const server = createServer(async (asked, answer) => {
    const { method, url, headers } = asked;
    try {
      const body = await whole(asked);
      // The Host stays the client's, so that the links of the box lead through here.
      const passed = request({ hostname, port, method, path: url, headers: { ...headers, connection: 'close' } });
      passed.end(body);
      const [from] = await once(passed, 'response');
      const bytes = await whole(from);
      seen.push(`${method} ${url} ${from.statusCode}`);
      const found = answerErrors({ status: from.statusCode, get: (name) => from.headers[name], text: bytes.toString(), method });
      errors.push(...found.map((error) => `${method} ${url} ${from.statusCode}: ${error}`));
      answer.writeHead(from.statusCode, withoutLength(from.headers)).end(bytes);
    } catch (error) {
      errors.push(`${method} ${url}: ${error.message}`);
      answer.destroy();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    base: `http://127.0.0.1:${server.address().port}/fhir`,
    errors,
    seen,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function whole(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

/** Headers about the connection are the proxy's own; the body stays as it came. */
function withoutLength({ connection: _, 'transfer-encoding': _chunked, ...headers }) {
  return headers;
}
