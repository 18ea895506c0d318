import { expect, test } from 'vitest';
import { smoothed, spread } from './curve';
import { aboveChance } from './heat-map';

test('smoothing starts at the first value and leaves a constant as it is', () => {
  for (const value of smoothed([3, 3, 3])) expect(value).toBeCloseTo(3);
  expect(smoothed([10, 0])[0]).toBeCloseTo(10);
});

test('letters move apart, keep their order and stay inside', () => {
  expect(spread([50, 52, 20], 10, 0, 100)).toEqual([50, 60, 20]);
  expect(spread([99, 98, 97], 10, 0, 100)).toEqual([100, 90, 80]);
});

test('agreement by chance counts as nothing', () => {
  expect(aboveChance(0.5, 2)).toBe(0);
  expect(aboveChance(0.75, 2)).toBe(0.5);
  expect(aboveChance(0.01, 10)).toBe(0);
  expect(aboveChance(1, 62)).toBe(1);
});
