// A run as a film: what the page showed at a moment of it. Nothing is computed; it is all in what the run has told.
import { columns, type Run } from './run.svelte';

/** What of a run the charts show. */
export type Moment = Pick<
  Run,
  | 'networks'
  | 'settings'
  | 'active'
  | 'searches'
  | 'outcome'
  | 'cells'
  | 'searchSteps'
  | 'judged'
  | 'plan'
  | 'curve'
  | 'validated'
  | 'lastStep'
>;

export type Scene = 'score' | 'together' | 'compare' | 'distil';

/** How much of the film each scene takes, if it was there. */
const lengths: Record<Scene, number> = { score: 3, together: 4, compare: 2, distil: 4 };

const countOf: Record<Scene, (run: Moment) => number> = {
  score: ({ cells }) => cells.length,
  together: ({ searchSteps }) => searchSteps.length,
  compare: ({ judged }) => judged.length,
  distil: ({ curve }) => curve.steps.length,
};

/** The scene at `at`, from 0 to 1, and how much of each has been seen. */
export function sceneAt(run: Moment, at: number): { scene: Scene; seen: Record<Scene, number> } {
  const scenes = (Object.keys(lengths) as Scene[]).filter((scene) => countOf[scene](run) > 0);
  const whole = scenes.reduce((sum, scene) => sum + lengths[scene], 0);
  const seen: Record<Scene, number> = { score: 0, together: 0, compare: 0, distil: 0 };
  let left = at * whole;
  let now: Scene = scenes[0] ?? 'score';
  for (const scene of scenes) {
    if (left > 0 || scene === scenes[0]) now = scene;
    const share = Math.min(1, Math.max(0, left / lengths[scene]));
    seen[scene] = Math.round(share * countOf[scene](run));
    left -= lengths[scene];
  }
  return { scene: now, seen };
}

/** The run as it was at `at`. Its plan is known when plans have been compared. */
export function momentOf(run: Moment, at: number): Moment {
  const { seen } = sceneAt(run, at);
  const { networks, settings, active, searches, outcome, lastStep, curve } = run;
  const last = curve.steps[seen.distil - 1] ?? 0;
  const isCompared = seen.compare === run.judged.length && seen.together === run.searchSteps.length;
  return {
    ...{ networks, settings, active, searches, outcome, lastStep },
    cells: run.cells.slice(0, seen.score),
    searchSteps: run.searchSteps.slice(0, seen.together),
    judged: run.judged.slice(0, seen.compare),
    plan: isCompared && seen.score === run.cells.length ? run.plan : null,
    curve: columns(curve, (values) => values.slice(0, seen.distil)),
    validated: run.validated.filter(({ step }) => step <= last),
  };
}
