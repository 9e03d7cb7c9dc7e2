// The box's API as a test asks it: to make what the test needs, and to see what the screens did.

/** Signs in; the answer's `get`, `post` and `patch` throw on any refusal. */
export async function signIn(url, { username, password }) {
  const answer = await ask(url, 'POST', 'session', { body: { username, password } });
  const cookie = answer.headers.get('set-cookie').split(';')[0];
  return {
    get: async (path) => (await ask(url, 'GET', path, { cookie })).json(),
    post: async (path, body = {}) => (await ask(url, 'POST', path, { cookie, body })).json(),
    patch: async (path, body) => (await ask(url, 'PATCH', path, { cookie, body })).json(),
  };
}

async function ask(url, method, path, { cookie, body }) {
  const headers = { 'X-Carepost-CSRF': '1' };
  if (cookie) headers.Cookie = cookie;
  if (body) headers['Content-Type'] = 'application/json';
  const answer = await fetch(`${url}/api/v1/prm/${path}`, {
    method,
    headers,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}
