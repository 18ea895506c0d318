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

/** A table of Markdown with a column per network: `lines` are cells, the first of them the line's name. */
function table(networks, lines) {
  const row = (cells) => `| ${cells.join(' | ')} |`;
  return [row(['', ...networks]), `|---|${networks.map(() => '--:|').join('')}`, ...lines.map(row)].join(
    '\n',
  );
}

const step = 'training step';

/** What of Graftlab is set beside what of others, in training steps. */
const compared = [
  ['burn flex, wasm', /^PyTorch, one thread/],
  ['burn flex, wasm, threads', /^PyTorch, two threads/],
  ['burn flex, wasm', /^TensorFlow.js cpu/],
  ['burn flex, wasm', /^jax-js wasm/],
  ['burn webgpu, wasm', /^TensorFlow.js webgpu/],
  ['burn webgpu, wasm', /^jax-js webgpu/],
];

/** The tables, each with its title: times by kind of work, shaders of a step, steps beside those of others. */
function tables(rows) {
  const split = rows.map((row) => {
    const [network, work] = row.workload.split(': ');
    return { ...row, network, work };
  });
  const [networks, works, engines] = ['network', 'work', 'engine'].map((key) =>
    unique(split.map((row) => row[key])),
  );
  const find = (engine, network, work) =>
    split.find((row) => row.engine === engine && row.network === network && row.work === work);

  const times = works.map((work) => ({
    title: `${work[0].toUpperCase()}${work.slice(1)}, ms`,
    lines: engines.map((engine) => [
      engine,
      ...networks.map((network) => timeCell(find(engine, network, work))),
    ]),
  }));
  const shaders = engines.map((engine) => [
    engine,
    ...networks.map((network) => find(engine, network, step)?.dispatches ?? '–'),
  ]);
  const ratio = (ours, theirs) =>
    ours?.runs && theirs?.runs ? (ours.ms_median / theirs.ms_median).toPrecision(2) : '–';
  const ratios = compared.flatMap(([ours, pattern]) =>
    engines
      .filter((engine) => pattern.test(engine))
      .map((theirs) => [
        `${ours} / ${theirs}`,
        ...networks.map((network) => ratio(find(ours, network, step), find(theirs, network, step))),
      ]),
  );
  const says = ([, ...cells]) => cells.some((cell) => cell !== '–');
  return [
    ...times,
    { title: 'Compute shaders of a training step', lines: shaders.filter(says) },
    { title: 'Training steps, relative', lines: ratios.filter(says) },
  ]
    .filter(({ lines }) => lines.length > 0)
    .map(({ title, lines }) => ({ title, text: table(networks, lines) }));
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

/** For the terminal. */
export function summary(rows) {
  const parts = tables(rows).map(({ title, text }) => `${title}\n\n${text}`);
  return [...parts, ...failures(rows)].join('\n\n');
}

/** `docs/benchmarks.md`. */
export function benchmarksPage(rows, { chromium, batch, apart, softwareGpu }) {
  const [cpu] = cpus();
  const threads = cpus().length;
  const failed = failures(rows);
  const parts = tables(rows).map(({ title, text }) => `## ${title}\n\n${text}\n`);
  if (failed.length) parts.push(`What could not be timed:\n\n${failed.join('\n')}\n`);
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

How to read it: times are the median (least–most; number of runs) in milliseconds; less is better.

${parts.join('\n')}`;
}
