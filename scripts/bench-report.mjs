// What `npm run bench` found, as text.
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { root } from './paths.mjs';

const version = (name) =>
  JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
const burn = () =>
  readFileSync(join(root, 'Cargo.lock'), 'utf8').match(/name = "burn"\nversion = "([^"]+)"/)[1];

const unique = (values) => [...new Set(values)];

/** Three significant digits. */
const short = (ms) => (ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3));

function timeCell({ ms_median, ms_min, ms_max, runs }) {
  if (runs === 0) return '–';
  return `${short(ms_median)} (${short(ms_min)}–${short(ms_max)}; ${runs})`;
}

/** A count of shaders. */
const dispatchCell = ({ dispatches }) => (dispatches ? String(dispatches) : '–');

/** Rows as one table per kind of work, `NETWORK: WORK`. */
function tables(rows, cell = timeCell) {
  const split = rows.map((row) => ({ ...row, parts: row.workload.split(': ') }));
  const networks = unique(split.map(({ parts }) => parts[0]));
  return unique(split.map(({ parts }) => parts[1])).map((work) => {
    const lines = unique(rows.map(({ engine }) => engine)).map((engine) => {
      const cells = networks.map((network) =>
        cell(split.find((row) => row.engine === engine && row.workload === `${network}: ${work}`)),
      );
      return `| ${[engine, ...cells].join(' | ')} |`;
    });
    const head = [`| ${['', ...networks].join(' | ')} |`, `|---|${networks.map(() => '--:|').join('')}`];
    return { work, text: [...head, ...lines].join('\n') };
  });
}

/** How many compute shaders a training step runs, of engines that run any. */
function dispatches(rows) {
  const found = rows.filter(({ dispatches, workload }) => dispatches && workload.endsWith(': training step'));
  if (!found.length) return '';
  const [{ text }] = tables(
    rows.filter(
      ({ engine, workload }) =>
        found.some((row) => row.engine === engine) && workload.endsWith(': training step'),
    ),
    dispatchCell,
  );
  return `\n## Compute shaders of a training step\n\n${text}\n`;
}

/** How many times as long as others Graftlab takes, in the browser for a training step. */
const compared = [
  ['burn flex, wasm', /^PyTorch, one thread/],
  ['burn flex, wasm, threads', /^PyTorch, two threads/],
  ['burn flex, wasm', /^TensorFlow.js cpu/],
  ['burn flex, wasm', /^jax-js wasm/],
  ['burn webgpu, wasm', /^TensorFlow.js webgpu/],
  ['burn webgpu, wasm', /^jax-js webgpu/],
];

/** `docs/benchmarks.md`'s table of ratios; of medians. */
function ratios(rows) {
  const steps = rows.filter(({ workload, runs }) => workload.endsWith(': training step') && runs > 0);
  const networks = unique(steps.map(({ workload }) => workload.split(': ')[0]));
  const time = (network, matches) =>
    steps.find(({ workload, engine }) => workload.startsWith(`${network}:`) && matches(engine))?.ms_median;
  const lines = compared.flatMap(([ours, theirs]) => {
    const cells = networks.map((network) => {
      const [a, b] = [time(network, (name) => name === ours), time(network, (name) => theirs.test(name))];
      return a && b ? (a / b).toPrecision(2) : '–';
    });
    const name = steps.find(({ engine }) => theirs.test(engine))?.engine;
    return name && cells.some((cell) => cell !== '–')
      ? [`| ${[`${ours} / ${name}`, ...cells].join(' | ')} |`]
      : [];
  });
  if (!lines.length) return '';
  const head = [`| ${['', ...networks].join(' | ')} |`, `|---|${networks.map(() => '--:|').join('')}`];
  return `\n## Training steps, relative\n\n${[...head, ...lines].join('\n')}\n`;
}

/** Why rows are empty, each reason once. */
function failures(rows) {
  const failed = rows.filter(({ error }) => error);
  const reasons = unique(failed.map(({ engine, error }) => `${engine}: ${error}`));
  return reasons.map((reason) => {
    const where = failed.filter(({ engine, error }) => `${engine}: ${error}` === reason);
    return `- ${reason} (${where.map(({ workload }) => workload).join(', ')})`;
  });
}

const title = (work) => `${work[0].toUpperCase()}${work.slice(1)}`;

/** For the terminal. */
export function summary(rows) {
  const parts = tables(rows).map(({ work, text }) => `${title(work)}, ms\n\n${text}`);
  return [...parts, ...failures(rows)].join('\n\n');
}

/** `docs/benchmarks.md`. */
export function benchmarksPage(rows, { chromium, batch, apart, softwareGpu }) {
  const [cpu] = cpus();
  const threads = cpus().length;
  const failed = failures(rows);
  const adapter = softwareGpu
    ? 'WebGPU and WebGL run on software adapters (SwiftShader): compare these rows with each other; they say nothing of a GPU.'
    : "WebGPU and WebGL run on the machine's own GPU.";
  return `# Benchmarks

Written by \`npm run bench -- --write\` on ${new Date().toISOString().slice(0, 10)}; speed is never asserted by a test.

- Machine: ${cpu.model.trim()}, ${threads} cores, ${Math.round(totalmem() / 2 ** 30)} GiB.
- Versions: burn ${burn()}, Chromium ${chromium}, TensorFlow.js ${version('@tensorflow/tfjs')}, jax-js ${version('@jax-js/jax')}.
- Work: the bundled networks on a batch of ${batch} images, 1 × 32 × 32. A training step is a forward pass with the
  statistics of the batch, the gradients of the cross-entropy, and Adam. Every run ends when its loss has been read back.
- Before anything was timed, each engine computed the losses of a forward pass and of three training steps from the
  same weights. Where they were not the native ones within 0.1 % nothing was timed; the others differ by at most ${apart.toExponential(0)}.
- Threads: native and the wasm backends of TensorFlow.js and jax-js may use all cores; Graftlab's wasm uses one unless it
  says threads, PyTorch as many as it says.
- ${adapter}

How to read it: milliseconds, median (least–most; number of runs); less is better.

${tables(rows)
  .map(({ work, text }) => `## ${title(work)}\n\n${text}\n`)
  .join(
    '\n',
  )}${dispatches(rows)}${ratios(rows)}${failed.length ? `\nWhat could not be timed:\n\n${failed.join('\n')}\n` : ''}`;
}
