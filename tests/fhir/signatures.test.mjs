// The webhooks' signatures that our tests verify are made anew by others' implementations: Twilio's package, that of Standard
// Webhooks, openssl.

import { test } from 'node:test';

import { python } from './python.mjs';

test('the signatures that we verify are those that other programs make', async (context) => {
  const missing = await python('../../appliance/channels/tests/sign.py', {});
  if (missing) context.skip(missing);
});
