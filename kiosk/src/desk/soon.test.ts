import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { soon } from './soon';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('answers a burst of changes once', async () => {
  const work = vi.fn(() => Promise.resolve());
  const ask = soon(work);
  for (let change = 0; change < 20; change++) {
    ask();
    await vi.advanceTimersByTimeAsync(10);
  }
  await vi.advanceTimersByTimeAsync(1_000);
  expect(work).toHaveBeenCalledTimes(1);
});

it('answers a stream that never pauses at least every second', async () => {
  const work = vi.fn(() => Promise.resolve());
  const ask = soon(work);
  for (let change = 0; change < 50; change++) {
    ask();
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(work.mock.calls.length).toBeGreaterThanOrEqual(3);
});

it('never works twice at a time, and works again for what came meanwhile', async () => {
  let finish = () => {};
  const work = vi.fn(() => new Promise<void>((done) => (finish = done)));
  const ask = soon(work);
  ask();
  await vi.advanceTimersByTimeAsync(200);
  ask();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(work).toHaveBeenCalledTimes(1);
  finish();
  await vi.advanceTimersByTimeAsync(200);
  expect(work).toHaveBeenCalledTimes(2);
});
