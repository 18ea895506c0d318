import { describe, expect, test } from 'vitest';
import {
  formatBytes,
  formatChange,
  formatDuration,
  formatMilliseconds,
  formatPercent,
  formatQuantity,
} from './format';

const plain = (text: string) => text.replaceAll('\u202f', ' ');
const units = { seconds: 's', minutes: 'min', hours: 'h' };

describe('numbers as people read them', () => {
  test.each([
    [0, '0'],
    [999, '999'],
    [9_423_000, '9.42 M'],
    [999_600, '1.00 M'],
    [214_000, '214 k'],
    [4_100_000_000, '4.10 G'],
  ])('%d MACs', (value, text) => expect(plain(formatQuantity(value, 'en'))).toBe(text));

  test.each([
    [12, '12 B'],
    [812_345, '812 kB'],
  ])('%d bytes', (value, text) => expect(plain(formatBytes(value, 'en'))).toBe(text));

  test.each([
    [0.8349, '0.83 ms'],
    [12.34, '12.3 ms'],
    [1234.5, '1,235 ms'],
  ])('%d milliseconds', (value, text) => expect(plain(formatMilliseconds(value, 'en'))).toBe(text));

  test.each([
    [-0.484, '−0.48'],
    [0.12, '+0.12'],
    [-0.004, '0.00'],
  ])('a change of %d points', (value, text) => expect(formatChange(value, 2, 'en')).toBe(text));

  test.each([
    [0.4, '0 s'],
    [59.6, '1 min 0 s'],
    [125, '2 min 5 s'],
    [7_380, '2 h 3 min'],
  ])('%d seconds', (value, text) => expect(plain(formatDuration(value, units))).toBe(text));

  test('a share', () => expect(plain(formatPercent(0.98604, 2, 'en'))).toBe('98.60 %'));
});
