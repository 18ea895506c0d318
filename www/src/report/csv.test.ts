import { expect, test } from 'vitest';
import { csvOf, planInWords } from './csv';

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
