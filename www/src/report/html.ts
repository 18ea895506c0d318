// The report: one HTML file that needs nothing else, and runs nothing.
import { costOf } from '../charts/front';
import type { Run } from '../state/run.svelte';
import type { Texts } from '../text/en';
import {
  formatBytes,
  formatChange,
  formatCount,
  formatDecimal,
  formatDuration,
  formatMilliseconds,
  formatPercent,
  formatQuantity,
} from '../text/format';
import type { Outcome, Report } from '../worker/core';
import { planInWords } from './csv';
import { flat } from './flat';
import { javascriptSnippet, pythonSnippet } from './snippets';
import { isJudged, timesFewer } from './summary';

export interface ReportSource {
  run: Pick<Run, 'networks' | 'device' | 'startedAt'>;
  outcome: Pick<Outcome, 'report'> & { onnx: Pick<Uint8Array, 'byteLength'> };
  texts: Texts;
  /** Language of texts and numbers. */
  locale: string;
  /** Figures of the page as SVG, by name. */
  figures: ReadonlyMap<string, string>;
}

const escaped = (value: unknown) => String(value).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** Marks text that is HTML already. */
class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A template in which everything that is put in is escaped, unless it is HTML already. */
function html(parts: TemplateStringsArray, ...values: unknown[]): Html {
  const put = (value: unknown): string => {
    if (value instanceof Html) return value.text;
    return Array.isArray(value) ? value.map(put).join('') : escaped(value ?? '');
  };
  return new Html(
    parts.map((part, index) => part + (index < values.length ? put(values[index]) : '')).join(''),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): Html {
  return html`<table><thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>${rows.map(
    ([first, ...cells]) =>
      html`<tr><th scope="row">${first}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`,
  )}</tbody></table>`;
}

const style = `
:root { color-scheme: light; }
body { max-width: 52rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; background: #fdfdfc; color: #16181c;
  font: 400 0.9375rem/1.55 "Helvetica Neue", "Segoe UI", Inter, Roboto, "PingFang TC", "Noto Sans TC", Arial, sans-serif; }
h1 { font-size: 2rem; line-height: 1.15; letter-spacing: -0.02em; margin: 0 0 0.25rem; }
h2 { margin: 3rem 0 0.75rem; padding-top: 1rem; border-top: 1px solid #16181c; font-size: 1.25rem; }
h3 { margin: 1.75rem 0 0.5rem; font-size: 0.9375rem; }
.soft, thead th { color: #555a62; font-size: 0.8125rem; font-weight: 400; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 1.5rem; }
dd { margin: 0; font-size: 2.5rem; font-weight: 500; line-height: 1.1; letter-spacing: -0.03em; }
dt { color: #555a62; font-size: 0.8125rem; }
dl div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.45rem 0 0.45rem 1rem; border-top: 1px solid #dddcd7; text-align: end; }
th:first-child { padding-left: 0; text-align: start; font-weight: 500; }
thead th { border: 0; }
.wide { overflow-x: auto; }
svg { max-width: 100%; height: auto; }
pre { padding: 1rem; overflow-x: auto; background: #f3f3f0; border-radius: 6px;
  font: 0.8125rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
@media print { h2 { break-after: avoid; } figure, table { break-inside: avoid; } }
figure { margin: 0 0 1.5rem; }
figcaption { max-width: 40rem; color: #555a62; font-size: 0.8125rem; }
figcaption:empty { display: none; }
`;

export function reportHtml(source: ReportSource): string {
  const { run, outcome, texts, locale, figures } = source;
  const { report } = outcome;
  const words = texts.report;
  const results = texts.results;
  const names = report.tasks.map(({ name }) => name);
  const title = words.title(names.join(', '));
  const size = run.networks.reduce<[number, number, number]>(
    (largest, { card }) => {
      const [channels, height, width] = card.input;
      return [
        Math.max(largest[0], channels ?? 1),
        Math.max(largest[1], height ?? 1),
        Math.max(largest[2], width ?? 1),
      ];
    },
    [1, 1, 1],
  );
  const figure = (name: string, help = '') => {
    const svg = figures.get(name);
    return svg
      ? html`<figure><div class="wide">${new Html(svg)}</div><figcaption>${help}</figcaption></figure>`
      : '';
  };
  const page = html`<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p class="soft">${words.made(
    new Date(run.startedAt).toLocaleString(locale),
    results.from(run.device, formatDuration(report.seconds.total, texts.units), report.settings.seed ?? 0),
    report.version,
  )}</p>
${report.stopped ? html`<p>${words.stopped}</p>` : ''}
<dl>${factsOf(report, outcome, texts, locale).map(
    ([figure, name]) => html`<div><dt>${name}</dt><dd>${figure}</dd></div>`,
  )}</dl>
<h2>${words.plan}</h2>
${figure('plan')}
<p>${planInWords(report.plan)}</p>
${report.settings.base ? html`<p>${results.kept(report.settings.base)}</p>` : ''}
<h2>${results.table}</h2>
<p class="soft">${results.help}</p>
${scoresOf(report, texts, locale)}
<h2>${results.cost}</h2>
${table(
  [results.costFor, results.original, results.merged, results.share],
  (
    [
      ['macs', results.macs],
      ['params', results.params],
      ['milliseconds', results.milliseconds],
    ] as const
  ).map(([key, name]) => {
    const { originals, merged } = report.cost[key];
    const format = key === 'milliseconds' ? formatMilliseconds : formatQuantity;
    return [
      name,
      format(originals, locale),
      format(merged, locale),
      formatPercent(merged / originals, 0, locale),
    ];
  }),
)}
<h2>${words.search}</h2>
${figure('heat-map', texts.heat.help)}
${figure('probabilities', texts.likely.help)}
${figure('pareto', texts.pareto.help)}
${comparedOf(report, texts, locale)}
<h2>${words.training}</h2>
${figure('loss', texts.curves.lossHelp)}
${figure('accuracy', texts.curves.accuracyHelp)}
${figure('learning-rate')}
${figure('speed')}
<h2>${words.settings}</h2>
${table([words.setting, words.value], flat(report.settings))}
<h3>${texts.data.heading}</h3>
${table(
  [texts.data.splits, texts.data.heading],
  (['train', 'architecture', 'validation', 'test'] as const).map((split) => [
    texts.data[split],
    formatCount(report.data[split], locale),
  ]),
)}
<h2>${words.use}</h2>
<p>${words.useHelp}</p>
<h3>Python</h3>
<p class="soft">pip install onnxruntime numpy pillow</p>
<pre id="python" tabindex="0"><code>${pythonSnippet}</code></pre>
<h3>JavaScript</h3>
<p class="soft">npm install onnxruntime-web</p>
<pre id="javascript" tabindex="0"><code>${javascriptSnippet(report.tasks, size)}</code></pre>
</main>
</body>
</html>
`;
  return page.text;
}

function factsOf(
  report: Report,
  outcome: ReportSource['outcome'],
  { results }: Texts,
  locale: string,
): [string, string][] {
  return [
    [results.fewer(formatDecimal(timesFewer(report), 2, locale)), results.fewerLabel],
    isJudged(report)
      ? [formatChange(-report.worst_drop_points, 2, locale), results.worst]
      : ['–', results.worstUnknown],
    [formatBytes(outcome.onnx.byteLength, locale), results.size],
  ];
}

function scoresOf(report: Report, { results }: Texts, locale: string): Html {
  const percent = (share: number | null | undefined) =>
    share == null ? '–' : formatPercent(share, 2, locale);
  return table(
    [results.task, results.original, results.merged, results.change, results.agreement, results.images],
    report.tasks.map(({ name, kind, test }) => [
      kind && results.measures[kind] ? `${name}: ${results.measures[kind]}` : name,
      percent(test.original),
      percent(test.merged),
      test.original != null && test.merged != null
        ? formatChange((test.merged - test.original) * 100, 2, locale)
        : '–',
      percent(test.agreement),
      formatCount(test.images, locale),
    ]),
  );
}

function comparedOf(report: Report, { finalists }: Texts, locale: string): Html | '' {
  if (report.judged.length === 0) return '';
  return html`<h3>${finalists.heading}</h3><div class="wide">${table(
    [finalists.plan, finalists.cost, finalists.images, finalists.dropAlone],
    report.judged.map(({ plan, image_passes, worst_drop_points }) => [
      planInWords(plan),
      formatPercent(costOf(plan), 0, locale),
      formatCount(image_passes, locale),
      formatDecimal(worst_drop_points, 1, locale),
    ]),
  )}</div>`;
}
