// What the compared plans cost and lose, and which of them no other beats in both.
import type { Finalist } from '../state/finalists';
import type { PlanSummary } from '../worker/core';

/** What the budget counts, relative to the networks apart. */
export const costOf = ({ relative_cost, relative_macs }: PlanSummary) => relative_cost ?? relative_macs;

export interface Tried {
  finalist: Finalist;
  /** Relative, in what the budget counts. */
  cost: number;
  /** In points, after the last round that it was in. */
  drop: number;
  /** Whether it was in the last round of all. */
  isLast: boolean;
}

export function triedOf(plans: readonly Finalist[], rounds: readonly number[]): Tried[] {
  return plans.map((finalist) => {
    const passes = Math.max(...finalist.drops.keys());
    return {
      finalist,
      cost: costOf(finalist.plan),
      drop: finalist.drops.get(passes) ?? 0,
      isLast: passes === rounds.at(-1),
    };
  });
}

/** Of those that were compared to the end, cheapest first: each loses less than all that cost less. */
export function frontOf(tried: readonly Tried[]): Tried[] {
  const front: Tried[] = [];
  const byCost = tried.filter(({ isLast }) => isLast).sort((a, b) => a.cost - b.cost || a.drop - b.drop);
  for (const each of byCost)
    if (each.drop < (front.at(-1)?.drop ?? Number.POSITIVE_INFINITY)) front.push(each);
  return front;
}
