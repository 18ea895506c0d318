// What a person chooses for a run. The rest of its settings are the core's defaults.
import type { Settings } from '../worker/core';
import type { BackendInUse } from '../worker/protocol';

export type Effort = keyof BackendInUse['settings'];
export type Chosen = Required<Pick<Settings, 'budget' | 'selector' | 'seed' | 'use_labels'>>;

/** The steps in which a budget is chosen. */
export const budgetStep = 0.01;

/** The budget to choose so that `nearest` is met: the next step above, within what floating point can tell. */
export const budgetAbove = (nearest: number) =>
  Math.min(1, Math.ceil(nearest / budgetStep - 1e-9) / Math.round(1 / budgetStep));

export class Choices implements Chosen {
  budget = $state<Chosen['budget']>(0.42);
  selector = $state<Chosen['selector']>('matching');
  seed = $state<Chosen['seed']>(0);
  use_labels = $state<Chosen['use_labels']>(true);
  effort = $state<Effort>('quick');
  #hasDefaults = false;

  /** Takes the core's own defaults, once; then the user's choices stay. */
  startFrom({ budget, selector, seed, use_labels }: Settings): void {
    if (this.#hasDefaults) return;
    this.#hasDefaults = true;
    this.budget = budget ?? this.budget;
    this.selector = selector ?? this.selector;
    this.seed = seed ?? this.seed;
    this.use_labels = use_labels ?? this.use_labels;
  }

  /** The settings of a run, given the core's for each effort. */
  settings(defaults: BackendInUse['settings']): Settings {
    const { budget, selector, seed, use_labels } = this;
    return { ...defaults[this.effort], budget, selector, seed, use_labels };
  }
}
