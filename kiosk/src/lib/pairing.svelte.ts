// Makes a screen known to the box: shows a code that the front desk types, or claims the one in its address.
// Invariant: a screen shows nothing of the clinic's day before the desk has let it in.
import { create, get, post, Problem } from './api';
import type { Device, DeviceKind, PairingCode } from './shapes';

const ASK_AGAIN_MS = 2_000;

export type Pairing =
  | { at: 'starting' }
  | { at: 'unreachable' }
  | { at: 'code'; code: string; expires: number }
  | { at: 'paired' };

export class PairedScreen {
  state = $state.raw<Pairing>({ at: 'starting' });
  readonly #kind: DeviceKind;
  readonly #welcome: readonly DeviceKind[];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `welcome`: with which pairings the screen is content, if it finds itself paired already. */
  constructor(kind: DeviceKind, welcome: readonly DeviceKind[] = [kind]) {
    this.#kind = kind;
    this.#welcome = welcome;
  }

  async begin(): Promise<void> {
    const offered = new URLSearchParams(location.search).get('pair');
    if (offered !== null) {
      try {
        await post('devices/claim', { body: { code: offered } });
      } catch {
        // Used up or mistyped: the screen shows a code of its own.
      }
      // The code is not left in the address, where it would be tried again at each start.
      history.replaceState(null, '', location.pathname);
    }
    await this.#look();
  }

  /** Asks whether the pairing still holds; an unreachable box says nothing about it. */
  async check(): Promise<void> {
    if (this.state.at !== 'paired') return;
    if ((await this.#status()) === 'unknown') await this.#look();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer);
    const status = await this.#status();
    if (status === 'paired') {
      this.state = { at: 'paired' };
      return;
    }
    const shown = this.state.at === 'code' ? this.state : null;
    if (status === 'unreachable') {
      if (!shown) this.state = { at: 'unreachable' };
    } else if (status === 'unknown' || !shown || Date.now() > shown.expires) {
      await this.#showCode();
    }
    this.#timer = setTimeout(() => void this.#look(), ASK_AGAIN_MS);
  }

  async #status(): Promise<'paired' | 'pending' | 'unknown' | 'unreachable'> {
    try {
      const device: Device = await get('devices/self');
      if (device.status === 'revoked' || !this.#welcome.includes(device.kind)) return 'unknown';
      return device.status === 'paired' ? 'paired' : 'pending';
    } catch (problem) {
      return problem instanceof Problem && [401, 403, 404].includes(problem.status) ? 'unknown' : 'unreachable';
    }
  }

  async #showCode(): Promise<void> {
    try {
      const { code, expires_at }: PairingCode = await create('devices', { body: { kind: this.#kind } });
      this.state = { at: 'code', code, expires: Date.parse(expires_at) };
    } catch {
      this.state = { at: 'unreachable' };
    }
  }
}
