import { expect, test } from 'vitest';
import type { SearchStep } from '../worker/core';
import { bandsOf } from './bands';

const root = { donor: undefined, donor_point: 0, receiver_point: 0 };
const join = { donor: 1, donor_point: 2, receiver_point: 3 };
const step = (...likely: SearchStep['likely']): SearchStep => ({
  step: 1,
  steps: 2,
  temperature: 1,
  expected_cost: 0.5,
  entropy: 0.5,
  likely,
});

test('bands lie on each other, the own input lowest, and leave out what was not told', () => {
  const steps = [
    step([
      { ...join, probability: 0.25 },
      { ...root, probability: 0.5 },
    ]),
    step([{ ...join, probability: 1 }]),
  ];
  const [own, joined] = bandsOf(steps, 0, 10, 100);
  expect(own?.source.donor).toBe(undefined);
  expect(own?.path).toBe('M0 50L10 100L10 100L0 100Z');
  expect(joined?.path).toBe('M0 25L10 0L10 100L0 50Z');
});

test('of many sources those are shown that were likeliest at any time', () => {
  const other = { donor: 1, donor_point: 5, receiver_point: 5, probability: 0.1 };
  const steps = [step([{ ...root, probability: 0.9 }, other]), step([{ ...join, probability: 0.8 }, other])];
  expect(bandsOf(steps, 0, 10, 100, 2).map(({ source }) => source.donor_point)).toEqual([0, 2]);
});
