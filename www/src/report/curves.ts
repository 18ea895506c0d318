// The curves of a run as drawings of their own: for files and for the report.
import { smoothed } from '../charts/curve';
import { curveSvg, type SvgSeries } from '../charts/curve-svg';
import type { Run } from '../state/run.svelte';
import { tasksOf } from '../state/run-network';
import type { Texts } from '../text/en';
import { formatDecimal, formatPercent } from '../text/format';

export interface CurveSource {
  run: Pick<Run, 'networks' | 'curve' | 'validated'>;
  texts: Texts;
  /** Language of the numbers. */
  locale: string;
  /** The colour behind a custom property. */
  colourOf: (property: string) => string;
}

type Values = readonly (number | null)[];

function byTask({ run, colourOf }: CurveSource, values: (index: number) => Values): SvgSeries[] {
  return tasksOf(run.networks).map(({ name, line }, index) => ({
    letter: line.letter,
    name,
    colour: colourOf(line.colour),
    values: values(index),
  }));
}

/** Digits after the point that tell values apart which lie `step` apart; none for what is next to nothing. */
export const digitsFor = (step: number) =>
  step > 1e-7 ? Math.min(6, Math.max(0, Math.ceil(-Math.log10(step) - 1e-6))) : 0;

export function lossSvg(source: CurveSource): string {
  const { run, texts, locale } = source;
  return curveSvg({
    title: texts.curves.lossHeading,
    steps: run.curve.steps,
    series: byTask(source, (index) => smoothed(run.curve.tasks[index] ?? [])),
    format: (value, step = 0.01) => formatDecimal(value, digitsFor(step), locale),
    fromZero: true,
  });
}

export function accuracySvg(source: CurveSource): string {
  const { run, texts, locale } = source;
  const originals = byTask(source, (index) => run.validated.map(({ teacher }) => teacher[index] ?? null));
  return curveSvg({
    title: texts.curves.accuracyHeading,
    steps: run.validated.map(({ step }) => step),
    series: [
      ...originals.map((series) => ({ ...series, isReference: true })),
      ...byTask(source, (index) => run.validated.map(({ student }) => student[index] ?? null)),
    ],
    format: (value, step = 0.001) => formatPercent(value, digitsFor(step * 100), locale),
  });
}

/** Learning rate or images per second. */
export function pacesSvg(
  { run, colourOf }: CurveSource,
  title: string,
  values: readonly number[],
  format: (value: number, step?: number) => string,
): string {
  const series = [{ letter: '', name: '', colour: colourOf('--ink'), values }];
  return curveSvg({ title, steps: run.curve.steps, series, format, fromZero: true });
}
