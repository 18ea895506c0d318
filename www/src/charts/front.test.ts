import { expect, test } from 'vitest';
import type { Finalist } from '../state/finalists';
import { frontOf, triedOf } from './front';

const finalist = (key: string, relative_macs: number, ...drops: [number, number][]): Finalist => ({
  key,
  plan: { networks: [], macs: 0, relative_macs },
  drops: new Map(drops),
  chosen: false,
});

test('a plan stands with the last round that it was in', () => {
  const plans = [finalist('a', 0.5, [100, 9], [200, 4]), finalist('b', 0.4, [100, 8])];
  const tried = triedOf(plans, [100, 200]);
  expect(tried.map(({ drop, isLast }) => [drop, isLast])).toEqual([
    [4, true],
    [8, false],
  ]);
});

test('the front leaves out who left early, and who loses more than a cheaper one', () => {
  const plans = [
    finalist('dear and good', 0.9, [200, 1]),
    finalist('cheap', 0.3, [200, 5]),
    finalist('dear and bad', 0.8, [200, 6]),
    finalist('left early', 0.1, [100, 0]),
  ];
  const names = frontOf(triedOf(plans, [100, 200])).map(({ finalist }) => finalist.key);
  expect(names).toEqual(['cheap', 'dear and good']);
});
