import { expect, test } from 'vitest';
import { confusionOf, groupsOf } from './confusion';

const task = (labels: (number | undefined)[], original: number[], merged: number[]) => ({
  name: 'shade',
  classes: ['dark', 'bright'],
  labels,
  original,
  merged,
});

test('each image lies in the cell of what it is and what was answered', () => {
  const { cells, byLabel, mostWrong } = confusionOf(task([0, 0, 1, 1], [0, 0, 1, 1], [0, 1, 1, 0]), 'merged');
  expect(byLabel).toBe(true);
  expect(cells).toEqual([
    [[0], [1]],
    [[3], [2]],
  ]);
  expect(mostWrong).toBe(1);
});

test('where nothing is labelled the original is the measure', () => {
  const { cells, byLabel } = confusionOf(task([undefined, undefined], [0, 1], [1, 1]), 'merged');
  expect(byLabel).toBe(false);
  expect(cells[0]?.[1]).toEqual([0]);
  expect(cells[1]?.[1]).toEqual([1]);
});

test('images without a label are left out where others have one', () => {
  const { cells } = confusionOf(task([0, undefined], [0, 0], [0, 0]), 'original');
  expect(cells.flat(2)).toEqual([0]);
});

test('what was lost, gained, and never right', () => {
  const groups = groupsOf(task([0, 0, 0, undefined], [0, 1, 1, 0], [1, 0, 1, 1]));
  expect(groups).toEqual({ lost: [0], gained: [1], bothWrong: [2], differing: [3] });
});
