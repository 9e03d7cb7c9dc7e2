// Who sits at the desk. When the session runs out, calls wait until the same person has signed in again.
// Invariant: nothing on the screen is lost by a session that ran out; the call that found it out is made again.
import { get, post, Problem, remove } from '../lib/api';
import type { Clinic, Session as Answer, Staff } from '../lib/shapes';
import { line } from './line.svelte';
import { words } from './words.svelte';

export type SessionState = 'asking' | 'out' | 'in' | 'again';

class Session {
  state = $state<SessionState>('asking');
  staff = $state.raw<Staff | null>(null);
  clinic = $state.raw<Clinic | null>(null);
  /** Books, registers, checks in and arranges sessions; a practitioner only reads the diary and calls the queue. */
  runsDesk = $derived(this.staff?.role === 'admin' || this.staff?.role === 'clerk');
  /** The clinic's clock minus this machine's, in milliseconds. */
  #ahead = 0;
  #signedIn: (() => void)[] = [];

  async begin(): Promise<void> {
    try {
      this.#enter(await get('session'));
      this.state = 'in';
      line.answered();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (problem.status === 401) {
        await this.#askClinic();
        this.state = 'out';
      } else {
        // The box is not there yet; the banner says so, and the first answer begins again.
        line.whenBack(() => this.state === 'asking' && void this.begin());
        line.lost();
      }
    }
  }

  async signIn(username: string, password: string): Promise<void> {
    await post('session', { body: { username, password } });
    this.#enter(await get('session'));
    this.state = 'in';
    for (const go of this.#signedIn.splice(0)) go();
  }

  async signOut(): Promise<void> {
    await remove('session').catch(() => undefined);
    // A fresh page is the surest way that nothing of the one before stays on the screen.
    history.replaceState(null, '', location.pathname);
    location.reload();
  }

  /** Makes a call; one that was refused for want of a session is made again after signing in. */
  async keep<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (;;) {
      try {
        const answer = await call();
        line.answered();
        return answer;
      } catch (problem) {
        if (!(problem instanceof Problem) || signal?.aborted) throw problem;
        if (problem.code === 'unreachable') line.lost();
        else line.answered();
        if (problem.code !== 'signin_required' || this.state === 'out') throw problem;
        if (this.state === 'in') this.state = 'again';
        await new Promise<void>((go) => this.#signedIn.push(go));
      }
    }
  }

  is(...roles: Staff['role'][]): boolean {
    return this.staff !== null && roles.includes(this.staff.role);
  }

  /** Now by the clinic's clock, in milliseconds since 1970. */
  nowMs(): number {
    return Date.now() + this.#ahead;
  }

  async #askClinic(): Promise<void> {
    const clinic: Clinic | null = await get('clinic').catch(() => null);
    if (clinic) this.#setClinic(clinic);
  }

  #enter({ staff, clinic }: Answer): void {
    this.staff = staff;
    this.#setClinic(clinic);
  }

  #setClinic(clinic: Clinic): void {
    this.clinic = clinic;
    this.#ahead = Date.parse(clinic.now) - Date.now();
    words.country = clinic.country;
  }
}

export const session = new Session();
