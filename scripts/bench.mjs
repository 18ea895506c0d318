// `npm run bench`: milliseconds per training step and forward pass of the bundled networks, natively and in Chromium,
// beside other engines in the same Chromium.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { driveBrowser } from './bench-browser.mjs';
import { buildBenchPage } from './bench-page.mjs';
import { benchmarksPage, summary } from './bench-report.mjs';
import { duration, main, Problem, say, step } from './log.mjs';
import { cache, nativeTarget, root } from './paths.mjs';
import { run } from './run.mjs';
import { setUp } from './setup.mjs';

const batch = 32;
const workloads = { forward: 'forward pass', step: 'training step' };
/** Training steps whose losses are compared. */
const steps = 3;
/** Largest relative difference of a loss from the native one. */
const tolerance = 1e-3;
const native = 'burn flex, native';

/** In the browser; each is a module of benches/browser and a backend of it. */
const engines = [
  { name: 'burn flex, wasm', library: 'graftlab', backend: 'cpu', artifact: 'cpu' },
  { name: 'burn flex, wasm, threads', library: 'graftlab', backend: 'threads', artifact: 'threads' },
  { name: 'burn webgpu, wasm', library: 'graftlab', backend: 'webgpu', artifact: 'gpu' },
  { name: 'TensorFlow.js cpu', library: 'tensorflow', backend: 'cpu' },
  { name: 'TensorFlow.js wasm', library: 'tensorflow', backend: 'wasm' },
  { name: 'TensorFlow.js webgl', library: 'tensorflow', backend: 'webgl' },
  { name: 'TensorFlow.js webgpu', library: 'tensorflow', backend: 'webgpu' },
  { name: 'jax-js wasm', library: 'jax', backend: 'wasm' },
  { name: 'jax-js webgpu', library: 'jax', backend: 'webgpu' },
  // An interpreter: minutes for a step.
  { name: 'jax-js cpu', library: 'jax', backend: 'cpu', onlyAsked: true },
];

/** Natively beside Graftlab, where a Python with PyTorch is named. */
const pytorch = [1, 2].map((threads) => ({
  name: `PyTorch, ${threads === 1 ? 'one thread' : 'two threads'}`,
  threads,
}));

const usage = `npm run bench -- [options]
  --json FILE     writes the rows
  --write         writes docs/benchmarks.md
  --quick         few runs, to see whether everything works
  --gpu           the machine's own GPU, instead of a software adapter
  --pytorch PATH  also PyTorch natively: a Python that has torch and numpy
  --network NAME  only this network
  --engine TEXT   only engines whose name contains this; jax-js cpu, which takes hours, only by its whole name`;

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'string' },
        write: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        gpu: { type: 'boolean', default: false },
        pytorch: { type: 'string' },
        network: { type: 'string' },
        engine: { type: 'string', default: '' },
      },
    });
    return values;
  } catch (error) {
    throw new Problem(error.message, usage);
  }
}

/** The bundled networks of the sample `glyphs`. */
function findNetworks(only) {
  const networks = ['character', 'typeface', 'emphasis']
    .filter((name) => !only || name === only)
    .map((name) => ({ name, file: join(root, 'models', 'networks', `${name}.onnx`) }));
  if (networks.length === 0) throw new Problem(`There is no network '${only}'.`, usage);
  const missing = networks.find(({ file }) => !existsSync(file));
  if (missing) throw new Problem(`${missing.file} is missing.`, 'It is made by: graftlab pretrain');
  return networks;
}

/** Runs the native benchmark: losses, or with `timing` milliseconds, by network and workload. */
async function runNative(networks, folder, timing) {
  const [job, out] = ['job.json', 'native.json'].map((name) => join(folder, name));
  const layers = join(folder, 'page', 'networks');
  mkdirSync(layers, { recursive: true });
  writeFileSync(job, JSON.stringify({ networks, batch, layers, out, timing }));
  await run('cargo', ['bench', '--bench', 'networks', '--', job], {
    log: 'bench-native',
    env: { CARGO_TARGET_DIR: nativeTarget },
  });
  return JSON.parse(readFileSync(out, 'utf8'));
}

/** Losses of one network in PyTorch, or with `timing` milliseconds; the native benchmark has written its layers. */
function runPytorch(python, threads, network, folder, timing) {
  const job = join(folder, 'pytorch.json');
  const layers = join(folder, 'page', 'networks');
  writeFileSync(job, JSON.stringify({ networks: [network], batch, layers, timing }));
  const script = join(root, 'benches', 'pytorch.py');
  const answer = execFileSync(python, [script, job, String(threads)], { encoding: 'utf8', stdio: 'pipe' });
  const { version, networks } = JSON.parse(answer);
  return { version, ...networks[network.name] };
}

/** Rows of PyTorch: its losses have to be the native ones. */
function benchPytorch(python, { name: engine, threads }, network, expected, folder, timing) {
  try {
    const losses = runPytorch(python, threads, network, folder);
    const apart = Math.max(...Object.keys(workloads).map((key) => difference(losses[key], expected[key])));
    if (!(apart <= tolerance)) throw new Error('its losses are not the native ones');
    const times = runPytorch(python, threads, network, folder, timing);
    return Object.entries(workloads).map(([key, title]) =>
      row(`${network.name}: ${title}`, `${engine} (${times.version})`, { times: times[key] }),
    );
  } catch (error) {
    const said = error.stderr?.trim().split('\n').at(-1);
    throw new Problem(
      `PyTorch could not be timed: ${said || reason(error)}`,
      `${python} has to be a Python with torch and numpy.`,
    );
  }
}

function row(workload, engine, { times = [], dispatches, error }) {
  const sorted = times.toSorted((a, b) => a - b);
  const middle = (sorted.at((sorted.length - 1) >> 1) + sorted.at(sorted.length >> 1)) / 2;
  const [ms_median, ms_min, ms_max] = [middle, sorted[0], sorted.at(-1)].map((ms) =>
    times.length ? Number(ms.toFixed(3)) : null,
  );
  return {
    workload,
    engine,
    ms_median,
    ms_min,
    ms_max,
    runs: times.length,
    ...(dispatches && { dispatches }),
    ...(error && { error }),
  };
}

/** The largest relative difference of losses from those expected. */
const difference = (losses, expected) =>
  Math.max(...expected.map((value, index) => Math.abs(losses[index] - value) / Math.abs(value)));

const reason = (error) =>
  String(error?.message ?? error)
    .split('\n')[0]
    .replace(/^page\.evaluate: (Error: )?/, '');

/** Shows `work` as a step. An `error` in its result is shown and goes on: its row says so. */
async function attemptStep(title, work) {
  let result;
  try {
    await step(title, 0, async () => {
      result = await work();
      if (result.error) throw new Problem(result.error);
    });
  } catch (error) {
    say(`  ${reason(error)}`);
  }
  return result;
}

/** Opens a network in an engine and compares its losses; `failed` says by workload why it cannot be timed. */
async function openEngine(browser, engine, network, expected) {
  const failed = {};
  const differences = [];
  let load = null;
  for (const workload of Object.keys(workloads)) {
    try {
      load ??= await browser.open(engine, network, batch);
      const losses = await load.losses(workload, workload === 'step' ? steps : 1);
      const apart = difference(losses, expected[workload]);
      const text = (values) => values.map((value) => value.toPrecision(5)).join(', ');
      if (!(apart <= tolerance))
        throw new Error(`its losses (${text(losses)}) are not the native ones (${text(expected[workload])})`);
      differences.push(apart);
    } catch (error) {
      failed[workload] = reason(error);
      if (!load) break;
    }
  }
  // What does not open fails for every kind of work.
  if (!load) failed.step = failed.forward;
  const error = [...new Set(Object.values(failed))].join('; ');
  return { engine, load, failed, apart: Math.max(0, ...differences), error };
}

/** Milliseconds of each run, and how many compute shaders a run has the GPU run. */
async function measure(load, workload, timing) {
  return { dispatches: await load.dispatches(workload), times: await load.time(workload, timing) };
}

/** Rows of one network: first all losses, then all times. */
async function benchNetwork(browser, network, expected, folder, wanted, timing, python) {
  const { name } = network;
  const opened = [];
  for (const engine of wanted.filter(({ library }) => library)) {
    const open = () => openEngine(browser, engine, name, expected);
    opened.push(await attemptStep(`${name}, ${engine.name}: losses`, open));
  }
  const rows = [];
  if (wanted.some(({ name }) => name === native)) {
    const times = (await runNative([network], folder, timing))[name];
    for (const [key, title] of Object.entries(workloads))
      rows.push(row(`${name}: ${title}`, native, { times: times[key] }));
  }
  for (const engine of wanted.filter(({ threads }) => threads))
    rows.push(...benchPytorch(python, engine, network, expected, folder, timing));
  for (const { engine, load, failed } of opened) {
    for (const [key, title] of Object.entries(workloads)) {
      const workload = `${name}: ${title}`;
      const time = () => measure(load, key, timing).catch((error) => ({ error: reason(error) }));
      const result = failed[key]
        ? { error: failed[key] }
        : await attemptStep(`${workload}, ${engine.name}`, time);
      rows.push(row(workload, engine.name, result));
    }
    await load?.close();
  }
  return { rows, apart: Math.max(0, ...opened.map(({ apart }) => apart)) };
}

async function command() {
  const started = Date.now();
  const options = readOptions();
  const all = [{ name: native }, ...(options.pytorch ? pytorch : []), ...engines];
  const wanted = all.filter(
    ({ name, onlyAsked }) => name.includes(options.engine) && (name === options.engine || !onlyAsked),
  );
  const networks = findNetworks(options.network);
  // Slow engines get `least` runs.
  const timing = options.quick ? { least: 1, most: 3, seconds: 1 } : { least: 3, most: 30, seconds: 12 };
  await setUp('page');
  const folder = join(cache, 'bench');
  const artifacts = wanted.flatMap(({ artifact }) => artifact ?? []);
  await buildBenchPage(join(folder, 'page'), networks, artifacts);
  let expected;
  await step('Losses on the CPU, natively', 1, async () => {
    expected = await runNative(networks, folder);
  });
  const browser = await driveBrowser(join(folder, 'page'), options);
  const rows = [];
  const apart = [];
  try {
    for (const network of networks) {
      const losses = expected[network.name];
      const found = await benchNetwork(browser, network, losses, folder, wanted, timing, options.pytorch);
      rows.push(...found.rows);
      apart.push(found.apart);
    }
  } finally {
    await browser.close();
  }
  const facts = { ...browser.facts, batch, apart: Math.max(...apart), softwareGpu: !options.gpu };
  say(`\n${summary(rows)}`);
  if (options.json) writeFileSync(resolve(options.json), `${JSON.stringify(rows, null, 1)}\n`);
  if (options.write) writeFileSync(join(root, 'docs', 'benchmarks.md'), benchmarksPage(rows, facts));
  say(`\nDone after ${duration(Date.now() - started)}.`);
}

await main(command);
