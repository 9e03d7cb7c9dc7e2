import { expect, test } from 'vitest';
import { kindOf } from './attached';

test('pictures are seen, voice notes are heard, and all else is put by', () => {
  const how = (type: string) => kindOf(type).how;
  expect(['image/jpeg', 'image/png'].map(how)).toEqual(['seen', 'seen']);
  expect(['audio/ogg', 'audio/mpeg'].map(how)).toEqual(['heard', 'heard']);
  expect(['audio/amr', 'video/mp4', 'application/pdf', 'text/html', ''].map(how)).toEqual(Array(5).fill('saved'));
});
