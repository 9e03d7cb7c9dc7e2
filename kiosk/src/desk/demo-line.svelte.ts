// The switch of the demonstration that cuts the line to the cloud and heals it. Other boxes have no such thing.
import { demoLine, turnDemoLine } from '../lib/api';
import { session } from './session.svelte';

class DemoLine {
  /** Null where there is no such switch. */
  up = $state<boolean | null>(null);

  async begin(): Promise<void> {
    if (!session.clinic?.demo) return;
    try {
      this.up = (await demoLine()).up;
    } catch {
      this.up = null;
    }
  }

  async turn(): Promise<void> {
    this.up = (await turnDemoLine(this.up === false)).up;
  }
}

export const cloudLine = new DemoLine();
