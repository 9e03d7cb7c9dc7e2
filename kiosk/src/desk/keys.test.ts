import { expect, it } from 'vitest';
import { commandOf, type Key } from './keys';

const press = (key: string, more: Partial<Key> = {}): Key => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...more });

it('means nothing while somebody is typing, not even undo', () => {
  for (const key of ['n', 'c', '/', '1', 'ArrowLeft']) expect(commandOf(press(key), true, true)).toBeNull();
  expect(commandOf(press('z', { ctrlKey: true }), true, true)).toBeNull();
});

it('means nothing with a key of the browser’s own held down', () => {
  expect(commandOf(press('n', { ctrlKey: true }), false, true)).toBeNull();
  expect(commandOf(press('ArrowLeft', { altKey: true }), false, true)).toBeNull();
});

it('leaves undo when single keys are switched off', () => {
  expect(commandOf(press('n'), false, false)).toBeNull();
  expect(commandOf(press('z', { metaKey: true }), false, false)).toBe('undo');
});

it('chooses columns by number and does not care for the shift key', () => {
  expect(commandOf(press('3'), false, true)).toEqual({ column: 3 });
  expect(commandOf(press('N'), false, true)).toBe('new');
  expect(commandOf(press('0'), false, true)).toBeNull();
});
