// Runs a script of Python with what clients.txt names, in an environment of its own that is made once.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, writeFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const FOLDER = process.env.FHIR_CLIENTS ?? fileURLToPath(new URL('../../target/fhir-clients', import.meta.url));
const WANTED = fileURLToPath(new URL('clients.txt', import.meta.url));
/** How long installing may take. */
const INSTALL_MS_MAX = 120_000;
/** How long one script may take. */
const SCRIPT_MS_MAX = 60_000;

/** Installs the clients unless they are; answers why not if they cannot be. */
async function install() {
  const done = join(FOLDER, 'installed.txt');
  const wanted = await readFile(WANTED, 'utf8');
  if (existsSync(done) && (await readFile(done, 'utf8')) === wanted) return undefined;
  try {
    await rm(FOLDER, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', FOLDER], { timeout: INSTALL_MS_MAX });
    await run(join(FOLDER, 'bin/pip'), ['install', '--quiet', '--requirement', WANTED], { timeout: INSTALL_MS_MAX });
    await writeFile(done, wanted);
    return undefined;
  } catch (error) {
    return error.message.split('\n')[0];
  }
}

/** Runs a script, named as seen from this file; answers why not if Python or its registry is not there. */
export async function python(script, environment) {
  const missing = await install();
  if (missing) return `what clients.txt names cannot be installed here: ${missing}`;
  const file = fileURLToPath(new URL(script, import.meta.url));
  const env = { ...process.env, ...environment };
  try {
    await run(join(FOLDER, 'bin/python'), [file], { env, timeout: SCRIPT_MS_MAX });
    return undefined;
  } catch (error) {
    throw new Error(`${script}: ${error.stderr || error.message}`);
  }
}
