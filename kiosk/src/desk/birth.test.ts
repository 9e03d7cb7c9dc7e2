import { describe, expect, it } from 'vitest';
import { birthOf } from './birth';

describe('a birth date', () => {
  it.each([
    ['1984', '1984'],
    ['5/1984', '1984-05'],
    ['2/5/1984', '1984-05-02'],
    ['02-05-1984', '1984-05-02'],
    [' 2.5.1984 ', '1984-05-02'],
    ['02051984', '1984-05-02'],
    ['1984-05-02', '1984-05-02'],
    ['29/2/2024', '2024-02-29'],
  ])('written %s is %s', (written, meant) => {
    expect(birthOf(written)).toBe(meant);
  });

  it.each(['', '84', '31/2/1984', '5/13/1984', '1984-00-01', '1784', 'May 1984', '1/2/3/1984', '29/2/2023'])(
    'written %s is none',
    (written) => {
      expect(birthOf(written)).toBeNull();
    },
  );
});
