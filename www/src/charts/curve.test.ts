import { expect, test } from 'vitest';
import { smoothed, spread } from './curve';

test('smoothing starts at the first value and leaves a constant as it is', () => {
  for (const value of smoothed([3, 3, 3])) expect(value).toBeCloseTo(3);
  expect(smoothed([10, 0])[0]).toBeCloseTo(10);
});

test('letters move apart, keep their order and stay inside', () => {
  expect(spread([50, 52, 20], 10, 0, 100)).toEqual([50, 60, 20]);
  expect(spread([99, 98, 97], 10, 0, 100)).toEqual([100, 90, 80]);
});
