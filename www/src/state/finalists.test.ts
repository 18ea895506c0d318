import { expect, test } from 'vitest';
import type { JudgedPlan, PlanSummary } from '../worker/core';
import { finalistsOf, mostShown } from './finalists';

const plan = (network: string): PlanSummary => ({
  networks: [{ source: 'root', network }],
  macs: 1,
  relative_macs: 0.5,
});
const judged = (network: string, image_passes: number, worst_drop_points: number): JudgedPlan => ({
  plan: plan(network),
  image_passes,
  worst_drop_points,
});

test('a plan that went further is one line with a drop for each round, and the chosen one is marked', () => {
  const rounds = [judged('a', 512, 8), judged('b', 512, 5), judged('b', 1024, 3)];
  const { rounds: passes, plans, more } = finalistsOf(rounds, plan('b'));
  expect([passes, more]).toEqual([[512, 1024], 0]);
  expect(plans.map(({ drops, chosen }) => [[...drops.values()], chosen])).toEqual([
    [[8], false],
    [[5, 3], true],
  ]);
});

test('of very many plans the best are shown, the chosen one always', () => {
  const many = Array.from({ length: 100 }, (_, index) => judged(`n${index}`, 512, 100 - index));
  const { plans, more } = finalistsOf(many, plan('n0'));
  expect([plans.length, more]).toEqual([mostShown, 100 - mostShown]);
  expect(plans.map(({ plan }) => plan.networks[0]?.network)).toContain('n0');
  expect(plans.at(-1)?.drops.get(512)).toBe(1);
});
