// The FHIR door as another system asks it. Every answer is checked: that it is FHIR at all, that it is
// valid R4, and that its headers say what the resource says.

import assert from 'node:assert/strict';

import * as exact from './exact.mjs';
import { errorsOf } from './validator.mjs';

const JSON_TYPE = 'application/fhir+json';

/** What asks the door of a clinic, with its bearer token. */
export function openDoor({ base, token }) {
  /**
   * Sends a request and answers with the status, the headers, and the resource: plain as `resource`,
   * with the digits of its numbers as `exact`.
   *
   * `body` is a text or a value. A path that is an address is asked as it is.
   */
  async function ask(method, path, { body, headers = {} } = {}) {
    const answer = await fetch(/^https?:/.test(path) ? path : `${base}${path && '/'}${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        // While an answer is checked, the box may give up waiting for the next request.
        Connection: 'close',
        ...(body === undefined ? {} : { 'Content-Type': JSON_TYPE }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'object' && !Buffer.isBuffer(body) ? exact.write(body) : body }),
    });
    const text = await answer.text();
    const asked = `${method} ${path.slice(0, 200)}`;
    const get = (name) => answer.headers.get(name);
    const found = answerErrors({ status: answer.status, get, text, method });
    assert.deepEqual(found, [], `${asked} answered ${answer.status} ${text.slice(0, 2000)}`);
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      resource: read(text),
      get exact() {
        return exact.parse(text);
      },
    };
  }

  return {
    base,
    ask,
    get: (path, options) => ask('GET', path, options),
    post: (path, body, headers) => ask('POST', path, { body, headers }),
    put: (path, body, headers) => ask('PUT', path, { body, headers }),
    patch: (path, body, headers) => ask('PATCH', path, { body, headers }),
    delete: (path, headers) => ask('DELETE', path, { headers }),
  };
}

/** Fails unless the answer has one of these statuses. */
export function assertStatus(answer, ...statuses) {
  assert.ok(statuses.includes(answer.status), `${answer.status}, not ${statuses}: ${answer.text.slice(0, 1000)}`);
  return answer;
}

function read(text) {
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The text that was checked last, and what was wrong with it: what is written is often read at once. */
let last = { text: '', found: [] };

/** What is wrong with an answer of the box, one line each. `get` answers the text of a header. */
export function answerErrors({ status, get, text, method }) {
  const said = read(text);
  if (text !== last.text) last = { text, found: said ? errorsOf(said) : [] };
  return [...last.found, ...headerErrors({ status, get, said, method })];
}

/** What the status and the headers say that is not so (https://hl7.org/fhir/R4/http.html). */
function headerErrors({ status, get, said, method }) {
  const found = [];
  if (status >= 500) found.push(`a status of ${status}`);
  if (status >= 400 && method !== 'HEAD') {
    const issues = said?.resourceType === 'OperationOutcome' ? said.issue : [];
    if (!issues?.some(({ severity }) => ['error', 'fatal'].includes(severity))) {
      found.push('a refusal without an OperationOutcome that says so');
    }
  }
  if (said && !get('content-type')?.startsWith(JSON_TYPE)) found.push(`the media type ${get('content-type')}`);
  const location = get('location');
  if (status === 201 && !location) found.push('what is created has no Location');
  if (location && !/^https?:\/\/[^?]+\/[A-Z]\w+\/[^/]+\/_history\/[^/]+$/.test(location)) {
    found.push(`the Location ${location}`);
  }
  const { versionId, lastUpdated } = said?.meta ?? {};
  const isOne = status < 300 && versionId;
  if (isOne && get('etag') !== `W/"${versionId}"`) found.push(`the ETag ${get('etag')} of version ${versionId}`);
  if (isOne && Math.floor(Date.parse(lastUpdated) / 1000) !== Date.parse(get('last-modified')) / 1000) {
    found.push(`Last-Modified ${get('last-modified')} of ${lastUpdated}`);
  }
  return found;
}
