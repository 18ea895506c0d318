// Numbers of charts as tables that other programs read.
import type { Confusion } from '../state/confusion';
import type { Run } from '../state/run.svelte';
import { labelOf, tasksOf } from '../state/run-network';
import type { Answers, JudgedPlan, PlanSummary, Report, SearchStep } from '../worker/core';

export type Cell = string | number | boolean | null | undefined;
/** A head and its rows. */
export type Table = readonly (readonly Cell[])[];

/** As RFC 4180 has it, in UTF-8; numbers with a point and all their digits. */
export function csvOf(table: Table): string {
  return table.map((row) => `${row.map(fieldOf).join(',')}\r\n`).join('');
}

function fieldOf(cell: Cell): string {
  if (cell === null || cell === undefined || Number.isNaN(cell)) return '';
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

type RunData = Pick<Run, 'networks' | 'cells' | 'searchSteps' | 'judged' | 'curve' | 'validated'>;

/** Every join that was scored. Points are counted from 1, as on the page. */
export function scoreTable(run: RunData): Table {
  const names = run.networks.map(({ card }) => labelOf(card));
  return [
    ['donor', 'donor_point', 'receiver', 'receiver_point', 'agreement', 'kappa', 'divergence', 'r_squared'],
    ...run.cells.map((cell) => [
      names[cell.donor],
      cell.donor_point + 1,
      names[cell.receiver],
      cell.receiver_point + 1,
      cell.agreement,
      cell.kappa,
      cell.divergence,
      cell.r_squared,
    ]),
  ];
}

export function lossTable(run: RunData): Table {
  const { steps, sum, tasks } = run.curve;
  return [
    ['step', 'loss', ...tasksOf(run.networks).map(({ name }) => `loss_${name}`)],
    ...steps.map((step, index) => [step, sum[index], ...tasks.map((values) => values[index])]),
  ];
}

export function speedTable({ curve }: RunData): Table {
  return [
    ['step', 'learning_rate', 'images_per_second'],
    ...curve.steps.map((step, index) => [step, curve.learningRate[index], curve.imagesPerSecond[index]]),
  ];
}

export function accuracyTable(run: RunData): Table {
  const tasks = tasksOf(run.networks);
  return [
    ['step', ...tasks.flatMap(({ name }) => [`student_${name}`, `teacher_${name}`])],
    ...run.validated.map(({ step, student, teacher }) => [
      step,
      ...tasks.flatMap((_, index) => [student[index], teacher[index]]),
    ]),
  ];
}

/** One row per step, network and likely source. */
export function searchTable(names: readonly string[], steps: readonly SearchStep[]): Table {
  return [
    ['step', 'expected_cost', 'entropy', 'network', 'donor', 'donor_point', 'receiver_point', 'probability'],
    ...steps.flatMap(({ step, expected_cost, entropy, likely }) =>
      likely.flatMap((sources, network) =>
        sources.map(({ donor, donor_point, receiver_point, probability }) => [
          step,
          expected_cost,
          entropy,
          names[network],
          ...(donor == null ? [null, null, null] : [names[donor], donor_point + 1, receiver_point + 1]),
          probability,
        ]),
      ),
    ),
  ];
}

export function judgedTable(judged: readonly JudgedPlan[]): Table {
  return [
    ['plan', 'relative_macs', 'relative_cost', 'image_passes', 'worst_drop_points'],
    ...judged.map(({ plan, image_passes, worst_drop_points }) => [
      planInWords(plan),
      plan.relative_macs,
      plan.relative_cost ?? plan.relative_macs,
      image_passes,
      worst_drop_points,
    ]),
  ];
}

/** `emphasis; typeface < emphasis 5 > 3`: a root alone, a join with its donor, the donor's point and its own. */
export function planInWords({ networks }: PlanSummary): string {
  return networks
    .map((source) =>
      source.source === 'root'
        ? source.network
        : `${source.network} < ${source.donor} ${source.donor_point + 1} > ${source.receiver_point + 1}`,
    )
    .join('; ');
}

export function resultTable(report: Report): Table {
  return [
    ['task', 'original', 'merged', 'agreement', 'test_images', 'labelled'],
    ...report.tasks.map(({ name, test }) => [
      name,
      test.original,
      test.merged,
      test.agreement,
      test.images,
      test.labelled,
    ]),
  ];
}

export function costTable({ cost }: Report): Table {
  return [
    ['measure', 'originals', 'merged', 'shared', 'skipped'],
    ['macs', cost.macs.originals, cost.macs.merged, cost.macs_shared, cost.macs_skipped],
    ['params', cost.params.originals, cost.params.merged, null, null],
    ['milliseconds', cost.milliseconds.originals, cost.milliseconds.merged, null, null],
  ];
}

/** Where each network starts. */
export function planTable({ networks }: PlanSummary): Table {
  return [
    ['network', 'source', 'donor', 'donor_point', 'donor_tensor', 'receiver_point', 'receiver_tensor'],
    ...networks.map((source) =>
      source.source === 'root'
        ? [source.network, 'root', null, null, null, null, null]
        : [
            source.network,
            'join',
            source.donor,
            source.donor_point + 1,
            source.donor_tensor,
            source.receiver_point + 1,
            source.receiver_tensor,
          ],
    ),
  ];
}

/** Rows are what it is, columns what was answered. */
export function confusionTable({ classes, cells }: Confusion): Table {
  return [
    ['', ...classes],
    ...cells.map((columns, row) => [classes[row], ...columns.map(({ length }) => length)]),
  ];
}

/** One row per test image and task. */
export function answersTable({ images, tasks }: Answers): Table {
  return [
    ['image', 'task', 'label', 'original', 'merged'],
    ...images.flatMap((image, place) =>
      tasks.map(({ name, classes, labels, original, merged }) => [
        image,
        name,
        labels[place] == null ? null : classes[labels[place]],
        classes[original[place] ?? -1],
        classes[merged[place] ?? -1],
      ]),
    ),
  ];
}
