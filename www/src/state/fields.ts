// The numbers and switches of a run beyond the few that everyone sees. What each accepts is what the core accepts.
import type { Settings, Start } from '../worker/core';

/**
 * `count`: from 1. `whole`: from 0, no fractions. `positive`: above 0. `weight`: from 0. `share`: from 0 to below 1.
 * A list: one of these names.
 */
export type FieldKind = 'switch' | 'count' | 'whole' | 'positive' | 'weight' | 'share' | readonly string[];
export type FieldValue = number | boolean | string;

export const fieldGroups = {
  search: {
    'search.shortcuts': 'switch',
    'search.adapter_activation': 'switch',
    'search.recalibrate_scores': 'switch',
    'search.calibration_images': 'count',
    'search.ridge_rows_per_channel': 'count',
    'search.score_images': 'count',
    'search.scored_donor_points': 'count',
    'search.finalists': 'count',
    'search.finalist_rounds': 'count',
    'search.finalist_image_passes': 'count',
    'search.front_budgets': 'whole',
    'search.evaluations': 'count',
  },
  differentiable: {
    'search.survivors_per_point': 'count',
    'search.supernet_steps': 'count',
    'search.warm_up': 'share',
    'search.logit_learning_rate': 'weight',
    'search.budget_penalty': 'weight',
    'search.entropy_weight': 'weight',
  },
  distil: {
    'train.temperature': 'positive',
    'train.distillation_weight': 'weight',
    'train.label_weight': 'weight',
    'train.hint_weight': 'weight',
    'train.self_distillation_weight': 'weight',
    'train.lagging_task_weight': 'weight',
  },
  train: {
    'train.start': ['fitted', 'random_adapters', 'scratch'] satisfies Start[],
    'train.image_passes': 'count',
    'train.batch_size': 'count',
    'train.learning_rate': 'positive',
    'train.trunk_learning_rate': 'weight',
    'train.weight_decay': 'weight',
    'train.fixed_statistics': 'switch',
  },
  augment: {
    'train.views': 'count',
    'train.augment.shift_px': 'weight',
    'train.augment.rotate_deg': 'weight',
    'train.augment.scale': 'share',
    'train.augment.brightness': 'weight',
    'train.augment.contrast': 'weight',
    'train.augment.noise': 'weight',
    'train.augment.flip': 'switch',
  },
} as const satisfies Record<string, Record<string, FieldKind>>;

export type FieldGroup = keyof typeof fieldGroups;
type KeysOf<T> = T extends unknown ? keyof T : never;
export type FieldPath = KeysOf<(typeof fieldGroups)[FieldGroup]>;

export const fieldKinds = Object.assign({}, ...Object.values(fieldGroups)) as Record<FieldPath, FieldKind>;

export function accepts(kind: FieldKind, value: FieldValue): boolean {
  if (typeof kind === 'object') return kind.includes(String(value));
  if (typeof value === 'boolean') return kind === 'switch';
  if (typeof value === 'string' || !Number.isFinite(value)) return false;
  switch (kind) {
    case 'switch':
      return false;
    case 'count':
      return Number.isInteger(value) && value >= 1;
    case 'whole':
      return Number.isInteger(value) && value >= 0;
    case 'positive':
      return value > 0;
    case 'weight':
      return value >= 0;
    case 'share':
      return value >= 0 && value < 1;
  }
}

type Tree = { [name: string]: Tree | FieldValue | undefined };

/** The value of a field, or undefined where the settings leave it to the core. */
export function fieldOf(settings: Settings, path: FieldPath): FieldValue | undefined {
  let at: Tree | FieldValue | undefined = settings as Tree;
  for (const name of path.split('.')) at = typeof at === 'object' ? at[name] : undefined;
  return typeof at === 'object' ? undefined : at;
}

/** A copy of the settings in which these fields have these values. */
export function withFields(settings: Settings, fields: Partial<Record<FieldPath, FieldValue>>): Settings {
  const copy = structuredClone(settings);
  for (const [path, value] of Object.entries(fields)) {
    const names = path.split('.');
    const last = names.pop()!;
    let at = copy as Tree;
    for (const name of names) {
      at[name] ??= {};
      at = at[name] as Tree;
    }
    at[last] = value;
  }
  return copy;
}
