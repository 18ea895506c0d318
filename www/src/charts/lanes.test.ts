import { expect, test } from 'vitest';
import { lineLength, pointsAlong } from './lanes';

const network = (...before: number[]) => ({
  macs: 100,
  join_points: before.map((macs_before) => ({ macs_before })),
});

test('join points lie where the MACs are spent', () => {
  expect(pointsAlong(network(20, 50, 80), 200, 10)).toEqual([40, 100, 160]);
});

test('points that cost nothing between them stay apart and in order', () => {
  const places = pointsAlong(network(0, 0, 99, 99, 100), 200, 10);
  for (const [index, place] of places.entries()) {
    expect(place - (places[index - 1] ?? 0)).toBeGreaterThanOrEqual(10);
  }
  expect(places.at(-1)).toBeLessThanOrEqual(190);
});

test('a line is never too short for its points', () => {
  expect(lineLength(network(1, 2, 3, 4), 0.01, 10)).toBe(50);
});
