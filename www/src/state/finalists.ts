// Plans that were fine-tuned briefly, each with how it did in every round.
import type { JudgedPlan, PlanSummary } from '../worker/core';

export interface Finalist {
  key: string;
  plan: PlanSummary;
  /** Worst drop in points by image passes. */
  drops: Map<number, number>;
  chosen: boolean;
}

export interface Finalists {
  /** Image passes of the rounds, from few to many. */
  rounds: number[];
  plans: Finalist[];
  /** Plans that are left out, because there are too many. */
  more: number;
}

/** Plans shown at most. */
export const mostShown = 24;

export const keyOf = ({ networks }: PlanSummary) => JSON.stringify(networks);

/** One entry per plan, in the order in which they were first judged. Of very many, those that did best are kept. */
export function finalistsOf(judged: readonly JudgedPlan[], chosen: PlanSummary | null): Finalists {
  const chosenKey = chosen && keyOf(chosen);
  const byKey = new Map<string, Finalist>();
  for (const { plan, image_passes, worst_drop_points } of judged) {
    const key = keyOf(plan);
    const known = byKey.get(key) ?? { key, plan, drops: new Map(), chosen: key === chosenKey };
    known.drops.set(image_passes, worst_drop_points);
    byKey.set(key, known);
  }
  const rounds = [...new Set(judged.map(({ image_passes }) => image_passes))].sort((a, b) => a - b);
  const all = [...byKey.values()];
  const best = new Set(all.toSorted(better).slice(0, mostShown));
  const plans = all.filter((finalist) => best.has(finalist));
  return { rounds, plans, more: all.length - plans.length };
}

/** The chosen one first, then who came furthest, then who lost least there. */
function better(a: Finalist, b: Finalist): number {
  const [furthestA, furthestB] = [a, b].map(({ drops }) => Math.max(...drops.keys())) as [number, number];
  const lost = ({ drops }: Finalist, passes: number) => drops.get(passes) ?? Number.POSITIVE_INFINITY;
  return (
    Number(b.chosen) - Number(a.chosen) || furthestB - furthestA || lost(a, furthestA) - lost(b, furthestB)
  );
}
