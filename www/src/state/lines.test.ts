import { expect, test } from 'vitest';
import { freeSlot, lineOf } from './lines';

test('a line keeps its letter while another goes, and the next network takes the free one', () => {
  expect(freeSlot([0, 2])).toBe(1);
  expect(freeSlot([])).toBe(0);
});

test('the seventh network has a letter of its own', () => {
  expect(lineOf(6).letter).toBe('G');
});
