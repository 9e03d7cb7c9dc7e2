// What box and hub send each other is opened by others' implementations of HPKE, CBOR, Ed25519 and zstd.

import { test } from 'node:test';

import { python } from './python.mjs';

test('a sealed bundle is opened by a program that shares no code with ours', async (context) => {
  const missing = await python('../../sync/protocol/tests/open.py', {});
  if (missing) context.skip(missing);
});
