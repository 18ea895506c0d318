import { expect, test } from 'vitest';
import { budgetAbove } from './choices.svelte';

test.each([
  [0.427, 0.43],
  [0.43, 0.43],
  [0.29, 0.29],
  [0.57, 0.57],
  [0.4301, 0.44],
  [0.9999, 1],
])('a budget of %f is met by choosing %f', (nearest, chosen) => {
  expect(budgetAbove(nearest)).toBe(chosen);
});
