import { expect, test } from 'vitest';
import { lineOf } from '../state/lines';
import { labelOf, lineOfTask } from '../state/run-network';
import { accuracyTable, csvOf, lossTable, planInWords } from './csv';

test('cells with separators, quotes and line breaks are quoted, and what is missing is empty', () => {
  const table = [
    ['a', 'b'],
    ['x, "y"', null],
    ['line\nbreak', Number.NaN],
    [0.1, false],
  ];
  expect(csvOf(table)).toBe('a,b\r\n"x, ""y""",\r\n"line\nbreak",\r\n0.1,false\r\n');
});

test('a plan in words counts join points from 1, as the page does', () => {
  const join = { donor_tensor: '', receiver_tensor: '', channels: [1, 1] as [number, number] };
  const words = planInWords({
    macs: 1,
    relative_macs: 1,
    networks: [
      { source: 'root', network: 'trunk' },
      { source: 'join', network: 'graft', donor: 'trunk', donor_point: 3, receiver_point: 1, ...join },
    ],
  });
  expect(words).toBe('trunk; graft < trunk 4 > 2');
});

test('a network with two tasks has a column for each, and is called by both', () => {
  const card = (name: string, ...tasks: string[]) =>
    ({ name, tasks: tasks.map((task) => ({ name: task, classes: [] })) }) as never;
  const networks = [
    { card: card('both', 'shade', 'parity'), line: lineOf(0) },
    { card: card('one', 'size'), line: lineOf(1) },
  ];
  const run = {
    networks,
    curve: { steps: [1], sum: [6], tasks: [[1], [2], [3]], learningRate: [0], imagesPerSecond: [0] },
    validated: [{ step: 1, student: [0.1, 0.2, 0.3], teacher: [0.4, 0.5, 0.6] }],
    ...{ cells: [], searchSteps: [], judged: [] },
  } as never;
  expect(lossTable(run)).toEqual([
    ['step', 'loss', 'loss_shade', 'loss_parity', 'loss_size'],
    [1, 6, 1, 2, 3],
  ]);
  expect(accuracyTable(run)[0]?.slice(3, 7)).toEqual([
    'student_parity',
    'teacher_parity',
    'student_size',
    'teacher_size',
  ]);
  expect(accuracyTable(run)[1]).toEqual([1, 0.1, 0.4, 0.2, 0.5, 0.3, 0.6]);
  expect(networks.map(({ card }) => labelOf(card))).toEqual(['shade+parity', 'size']);
  expect(lineOfTask(networks, 'parity')?.letter).toBe('A');
});
