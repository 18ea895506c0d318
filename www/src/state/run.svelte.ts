// One run as the page shows it: built up from the core's events.
import type { Outcome, Phase, PlanSummary, Event as RunEvent, SearchStep, Settings } from '../worker/core';
import { type RunNetwork, tasksOf } from './run-network';

type OfKind<K extends RunEvent['kind']> = Extract<RunEvent, { kind: K }>;
export type Cell = OfKind<'candidate_scored'>;
export type Judged = OfKind<'plan_judged'>;
export type Validated = OfKind<'validated'>;
export type Step = OfKind<'step'>;

export interface Progress {
  done: number;
  total: number;
  secondsLeft: number | null;
}

/** Columns, as the charts want them. */
export interface TrainingCurve {
  steps: number[];
  /** Loss over all tasks. */
  sum: number[];
  /** Loss by task. */
  tasks: number[][];
  learningRate: number[];
  imagesPerSecond: number[];
}

export type RunStatus = 'running' | 'paused' | 'stopping' | 'finished' | 'stopped' | 'failed';

export type SavedRun = Pick<
  Run,
  | 'networks'
  | 'device'
  | 'settings'
  | 'startedAt'
  | 'status'
  | 'cells'
  | 'searchSteps'
  | 'judged'
  | 'plan'
  | 'curve'
  | 'validated'
  | 'lastStep'
  | 'warnings'
> & { outcome: Outcome };

/** A run as it was at a checkpoint: what the core does not tell anew when it goes on from there. */
export type Checkpoint = Pick<
  Run,
  'networks' | 'settings' | 'startedAt' | 'phase' | 'share' | 'curve' | 'validated' | 'lastStep' | 'warnings'
> & {
  /** Milliseconds that it had taken. */
  took: number;
  /** How many images were loaded. */
  images: number;
  /** As the core made it. */
  bytes: Uint8Array;
};

/** Curves longer than this are thinned to half. */
const longestCurve = 3000;

export class Run {
  /** As they were at the start; later changes of the list don't touch a run. */
  readonly networks: RunNetwork[];
  /** What computes it, for people. */
  readonly device: string;
  readonly settings: Settings;
  readonly startedAt: number;
  /** When it would have been started if it had never rested or been broken off. */
  #countedFrom: number;

  status = $state<RunStatus>('running');
  /** Since when it rests. */
  pausedAt = $state<number | null>(null);
  phase = $state<Phase | null>(null);
  progress = $state.raw<Progress | null>(null);
  cells = $state.raw<Cell[]>([]);
  searchSteps = $state.raw<SearchStep[]>([]);
  judged = $state.raw<Judged[]>([]);
  plan = $state.raw<PlanSummary | null>(null);
  curve = $state.raw<TrainingCurve>({ steps: [], sum: [], tasks: [], learningRate: [], imagesPerSecond: [] });
  validated = $state.raw<Validated[]>([]);
  lastStep = $state.raw<Step | null>(null);
  warnings = $state.raw<string[]>([]);
  outcome = $state.raw<Outcome | null>(null);
  /** Where its film is, from 0 to 1; null where none is shown. */
  film = $state<number | null>(null);

  constructor(
    networks: RunNetwork[],
    device: string,
    settings: Settings,
    startedAt = Date.now(),
    countedFrom = startedAt,
  ) {
    this.startedAt = startedAt;
    this.#countedFrom = countedFrom;
    this.networks = networks;
    this.device = device;
    this.settings = settings;
  }

  /** A run that has left a network, as it was kept. */
  static restored(saved: SavedRun): Run {
    const { networks, device, settings, startedAt, ...state } = saved;
    return Object.assign(new Run(networks, device, settings, startedAt), state);
  }

  /** A run that goes on from a checkpoint. */
  static resumed(networks: RunNetwork[], device: string, checkpoint: Checkpoint): Run {
    const { settings, startedAt, took, curve, validated, lastStep, warnings } = checkpoint;
    const run = new Run(networks, device, settings, startedAt, Date.now() - took);
    return Object.assign(run, { curve, validated, lastStep, warnings });
  }

  /** As it is now, with a checkpoint of the core. */
  checkpoint(bytes: Uint8Array, images: number): Checkpoint {
    const { networks, settings, startedAt, phase, share, curve, validated, lastStep, warnings } = this;
    return {
      ...{ networks, settings, startedAt, phase, share, curve, validated, lastStep, warnings },
      ...{ took: this.took(), images, bytes },
    };
  }

  /** To be kept, if it has left a network. */
  saved(): SavedRun | null {
    const { outcome } = this;
    if (!outcome) return null;
    const { networks, device, settings, startedAt, status } = this;
    const { cells, searchSteps, judged, plan, curve, validated, lastStep, warnings } = this;
    return {
      ...{ networks, device, settings, startedAt, status, outcome },
      ...{ cells, searchSteps, judged, plan, curve, validated, lastStep, warnings },
    };
  }

  get active(): boolean {
    return ['running', 'paused', 'stopping'].includes(this.status);
  }

  /** Milliseconds that it has taken, without those that it rested. */
  took(now = Date.now()): number {
    return Math.max(0, (this.pausedAt ?? now) - this.#countedFrom);
  }

  pause(now = Date.now()): void {
    if (this.status !== 'running') return;
    this.status = 'paused';
    this.pausedAt = now;
  }

  goOn(now = Date.now()): void {
    if (this.status !== 'paused') return;
    this.status = 'running';
    this.#rest(now);
  }

  stop(now = Date.now()): void {
    if (!this.active) return;
    this.status = 'stopping';
    this.#rest(now);
  }

  /** Leaves out of the time taken how long it rested. */
  #rest(now: number): void {
    this.#countedFrom += now - (this.pausedAt ?? now);
    this.pausedAt = null;
  }

  /** How much of the phase is done, from 0 to 1; null where it works but can't tell. */
  get share(): number | null {
    if (!this.progress || this.progress.total <= 0) return null;
    const part = this.progress.done / this.progress.total;
    if (this.searchPart === null || !this.searches) return part;
    return this.searchPart === 'together' ? part / 2 : 0.5 + part / 2;
  }

  /** Whether plans train together before some are compared. */
  get searches(): boolean {
    return this.settings.selector === 'differentiable';
  }

  /** The part of the search that is going on; null outside the search. */
  get searchPart(): 'together' | 'compare' | null {
    if (this.phase !== 'search') return null;
    return this.searches && this.judged.length === 0 ? 'together' : 'compare';
  }

  /** Takes in what has happened since the last call. */
  take(events: readonly RunEvent[]): void {
    const of = <K extends RunEvent['kind']>(kind: K) =>
      events.filter((event): event is OfKind<K> => event.kind === kind);
    const add = <T>(known: T[], more: T[]) => (more.length > 0 ? [...known, ...more] : known);

    this.cells = add(this.cells, of('candidate_scored'));
    this.searchSteps = add(
      this.searchSteps,
      of('search_step').map(({ step }) => step),
    );
    this.judged = add(this.judged, of('plan_judged'));
    const validated = of('validated');
    if (validated.length > 0) this.validated = forwards([...this.validated, ...validated]);
    this.warnings = add(
      this.warnings,
      of('warning').map(({ message }) => message),
    );
    this.plan = of('plan_chosen').at(-1)?.plan ?? this.plan;
    this.#takeSteps(of('step'));
    for (const event of events) {
      if (event.kind === 'phase_started') {
        this.phase = event.phase;
        this.progress = null;
      } else if (event.kind === 'progress') {
        this.progress = { done: event.done, total: event.total, secondsLeft: event.seconds_left ?? null };
      } else if (event.kind === 'step') {
        this.progress = progressOf(event);
      }
    }
  }

  finish(outcome: Outcome): void {
    this.outcome = outcome;
    this.status = this.status === 'stopping' ? 'stopped' : 'finished';
  }

  fail(stopped: boolean): void {
    this.status = stopped ? 'stopped' : 'failed';
  }

  #takeSteps(told: Step[]): void {
    const steps = forwards(told);
    const [first, last] = [steps[0], steps.at(-1)];
    if (!first || !last) return;
    this.lastStep = last;
    const kept = this.curve.steps.filter((step) => step < first.step).length;
    const before = columns(this.curve, (values) => values.slice(0, kept));
    const curve = {
      steps: [...before.steps, ...steps.map(({ step }) => step)],
      sum: [...before.sum, ...steps.map(({ loss }) => loss)],
      tasks: tasksOf(this.networks).map((_, task) => [
        ...(before.tasks[task] ?? []),
        ...steps.map(({ task_losses }) => task_losses[task] ?? Number.NaN),
      ]),
      learningRate: [...before.learningRate, ...steps.map(({ learning_rate }) => learning_rate)],
      imagesPerSecond: [
        ...before.imagesPerSecond,
        ...steps.map(({ images_per_second }) => images_per_second),
      ],
    };
    this.curve = curve.steps.length > longestCurve ? thinned(curve) : curve;
  }
}

function progressOf({ step, steps, image_passes, images_per_second }: Step): Progress {
  const left = (image_passes / step) * (steps - step);
  return { done: step, total: steps, secondsLeft: images_per_second > 0 ? left / images_per_second : null };
}

/** Without what was taken back: training may return to an earlier step, and tells the steps after it anew. */
function forwards<T extends { step: number }>(told: readonly T[]): T[] {
  const kept: T[] = [];
  for (const each of told) {
    while ((kept.at(-1)?.step ?? 0) >= each.step) kept.pop();
    kept.push(each);
  }
  return kept;
}

/** A curve with all its columns changed alike. */
export function columns(
  { steps, sum, tasks, learningRate, imagesPerSecond }: TrainingCurve,
  change: (values: number[]) => number[],
): TrainingCurve {
  return {
    steps: change(steps),
    sum: change(sum),
    tasks: tasks.map(change),
    learningRate: change(learningRate),
    imagesPerSecond: change(imagesPerSecond),
  };
}

const thinned = (curve: TrainingCurve) =>
  columns(curve, (values) => values.filter((_, index) => index % 2 === 0));
