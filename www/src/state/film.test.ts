import { expect, test } from 'vitest';
import { type Moment, momentOf, sceneAt } from './film';

const items = (count: number) => Array.from({ length: count }, (_, index) => ({ step: index + 1 }));
const numbers = (count: number) => items(count).map(({ step }) => step);

const run = (searched: number): Moment =>
  ({
    networks: [],
    settings: {},
    cells: items(30),
    searchSteps: items(searched),
    judged: items(4),
    plan: { networks: [], macs: 1, relative_macs: 1 },
    curve: {
      steps: numbers(10),
      sum: numbers(10),
      tasks: [numbers(10)],
      learningRate: numbers(10),
      imagesPerSecond: numbers(10),
    },
    validated: [{ step: 5 }, { step: 10 }],
  }) as unknown as Moment;

test('at its start a film shows nothing, at its end all', () => {
  const first = momentOf(run(8), 0);
  expect([first.cells, first.judged, first.curve.steps, first.plan]).toEqual([[], [], [], null]);
  expect(momentOf(run(8), 1)).toMatchObject(run(8));
});

test('scenes follow each other, and what was not there takes no time', () => {
  const scenes = (searched: number) => [
    ...new Set(numbers(100).map((nth) => sceneAt(run(searched), nth / 100).scene)),
  ];
  expect(scenes(8)).toEqual(['score', 'together', 'compare', 'distil']);
  expect(scenes(0)).toEqual(['score', 'compare', 'distil']);
});

test('while it distils, accuracy is known up to the step that is shown', () => {
  // With 13 parts in all, distilling takes the last four.
  const { curve, validated, plan } = momentOf(run(8), 11 / 13);
  expect(curve.steps.at(-1)).toBe(5);
  expect(validated).toHaveLength(1);
  expect(plan).not.toBeNull();
});
