// What a person chooses for a run. The rest of its settings are the core's defaults.
import type { CostMeasure, SelectorName, Settings } from '../worker/core';
import type { BackendInUse } from '../worker/protocol';
import { accepts, type FieldPath, type FieldValue, fieldKinds, fieldOf, withFields } from './fields';

type Defaults = BackendInUse['settings'];
export type Effort = keyof Defaults;
export type Chosen = Required<Pick<Settings, 'budget' | 'cost' | 'selector' | 'seed' | 'use_labels'>>;
type Fields = Partial<Record<FieldPath, FieldValue>>;

/** The steps in which a budget is chosen. */
export const budgetStep = 0.01;

/** The budget to choose so that `nearest` is met: the next step above, within what floating point can tell. */
export const budgetAbove = (nearest: number) =>
  Math.min(1, Math.ceil(nearest / budgetStep - 1e-9) / Math.round(1 / budgetStep));

/** What a person has chosen, to be chosen again. */
export interface SavedChoices {
  effort: Effort;
  cost: CostMeasure;
  seed: number;
  use_labels: boolean;
  base: string | null;
  selector: SelectorName | null;
  budget: number | null;
  budgets: Record<Effort, number>;
  fields: Fields;
}

/** Until the core has said its own. */
const selectors: Record<Effort, SelectorName> = { quick: 'matching', full: 'differentiable' };

export const largestSeed = 2 ** 32 - 1;

export class Choices implements Chosen {
  /** What the budget counts. */
  cost = $state<CostMeasure>('macs');
  effort = $state<Effort>('quick');
  /** Task of the network that stays as it is; null where all may change. */
  base = $state<string | null>(null);
  #defaults = $state.raw<Defaults | null>(null);
  #chosenSelector = $state<SelectorName | null>(null);
  /** Those that suit what is loaded. */
  #suggested = $state.raw<Record<Effort, number> | null>(null);
  #chosenBudget = $state<number | null>(null);
  #chosenSeed = $state<number | null>(null);
  #chosenLabels = $state<boolean | null>(null);
  #fields = $state.raw<Fields>({});

  /** What the effort brings along, until another is chosen by hand. */
  get budget(): number {
    return this.#chosenBudget ?? this.#budgets[this.effort];
  }

  set budget(budget: number) {
    this.#chosenBudget = budget;
  }

  /** The budgets that suit what is loaded; they take the place of one chosen by hand. */
  suggest(budgets: Record<Effort, number>): void {
    this.#suggested = budgets;
    this.#chosenBudget = null;
  }

  /** The one that the effort brings along, until another is chosen by hand. */
  get selector(): SelectorName {
    return this.#chosenSelector ?? this.#defaults?.[this.effort].selector ?? selectors[this.effort];
  }

  set selector(selector: SelectorName) {
    this.#chosenSelector = selector;
  }

  get seed(): number {
    return this.#chosenSeed ?? this.#defaults?.full.seed ?? 0;
  }

  set seed(seed: number) {
    this.#chosenSeed = seed;
  }

  get use_labels(): boolean {
    return this.#chosenLabels ?? this.#defaults?.full.use_labels ?? true;
  }

  set use_labels(use: boolean) {
    this.#chosenLabels = use;
  }

  /** Takes a seed as it is typed. What is no seed, also an empty field, leaves the last one. */
  typeSeed(text: string): void {
    const seed = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isInteger(seed) && seed >= 0 && seed <= largestSeed) this.seed = seed;
  }

  /** A field as it will be sent; null before the core's defaults are known. */
  field(path: FieldPath): FieldValue | null {
    return this.#fields[path] ?? this.fieldDefault(path);
  }

  /** What the effort brings along for a field. */
  fieldDefault(path: FieldPath): FieldValue | null {
    const value = this.#defaults && fieldOf(this.#defaults[this.effort], path);
    // The core may hold a number in single precision: 0.06 comes as 0.0599999986.
    return typeof value === 'number' ? Number(value.toPrecision(6)) : (value ?? null);
  }

  /** Takes a field's value and says whether the core would; else the last one stays. */
  setField(path: FieldPath, value: FieldValue): boolean {
    if (!accepts(fieldKinds[path], value)) return false;
    const { [path]: _, ...others } = this.#fields;
    this.#fields = value === this.fieldDefault(path) ? others : { ...others, [path]: value };
    return true;
  }

  /** Fields that are not as the effort has them. */
  get changedFields(): FieldPath[] {
    return (Object.keys(this.#fields) as FieldPath[]).filter(
      (path) => this.#fields[path] !== this.fieldDefault(path),
    );
  }

  resetFields(): void {
    this.#fields = {};
  }

  /** Takes the core's own defaults. What has been chosen or restored stays. */
  startFrom(defaults: Defaults): void {
    this.#defaults = defaults;
  }

  get #budgets(): Record<Effort, number> {
    const { quick, full } = this.#defaults ?? {};
    return this.#suggested ?? { quick: quick?.budget ?? 0.5, full: full?.budget ?? 0.5 };
  }

  saved(): SavedChoices {
    const { effort, cost, seed, use_labels, base } = this;
    return {
      ...{ effort, cost, seed, use_labels, base },
      selector: this.#chosenSelector,
      budget: this.#chosenBudget,
      budgets: this.#budgets,
      fields: this.#fields,
    };
  }

  restore({ selector, budget, budgets, fields, ...plain }: SavedChoices): void {
    Object.assign(this, plain);
    this.#chosenSelector = selector;
    this.#chosenBudget = budget;
    this.#suggested = budgets;
    this.#fields = {};
    for (const [path, value] of Object.entries(fields))
      if (value !== undefined) this.setField(path as FieldPath, value);
  }

  /** The settings of a run. */
  settings(): Settings {
    const { budget, cost, selector, seed, use_labels, base } = this;
    const start = this.#defaults?.[this.effort] ?? {};
    const settings = { ...withFields(start, this.#fields), budget, cost, selector, seed, use_labels };
    return base === null ? settings : { ...settings, base };
  }
}
