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

function cell({ ms_median, ms_min, ms_max, runs }) {
  if (runs === 0) return '–';
  return `${short(ms_median)} (${short(ms_min)}–${short(ms_max)}; ${runs})`;
}

/** Rows as one table per kind of work, `NETWORK: WORK`. */
function tables(rows) {
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
- Threads: native and the wasm backends of TensorFlow.js and jax-js may use all cores; Graftlab's wasm uses one unless it says threads.
- ${adapter}

How to read it: milliseconds, median (least–most; number of runs); less is better.

${tables(rows)
  .map(({ work, text }) => `## ${title(work)}\n\n${text}\n`)
  .join('\n')}${failed.length ? `\nWhat could not be timed:\n\n${failed.join('\n')}\n` : ''}`;
}
