// `npm run speed-up -- --run DIR`: how much less time a merged network takes than the originals apart, in onnxruntime, in
// onnxruntime-web, and in the lab's own core.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium as driver } from 'playwright-core';
import { openRuntime } from '../tests/browser/onnxruntime.mjs';
import { driveBrowser } from './bench-browser.mjs';
import { buildBenchPage } from './bench-page.mjs';
import { main, Problem, say } from './log.mjs';
import { cache, root } from './paths.mjs';
import { setUp } from './setup.mjs';
import { chromium, python } from './tools.mjs';

const usage = `npm run speed-up -- --run DIR [options]
  --run DIR        the results of a run: merged.onnx and run.json
  --networks DIR   where the originals are, TASK.onnx each (default: models/networks)
  --rounds N       (default: 200)`;

const options = { run: { type: 'string' }, networks: { type: 'string' }, rounds: { type: 'string' } };

function readOptions() {
  try {
    const { values } = parseArgs({ options });
    if (!values.run) throw new Error('--run is missing');
    return {
      folder: resolve(values.run),
      networks: resolve(values.networks ?? join(root, 'models', 'networks')),
      rounds: Number(values.rounds ?? 200),
    };
  } catch (error) {
    throw new Problem(error.message, usage);
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Milliseconds by network and round, in turns of ten, so that what else the machine does meets all alike. */
async function inTurns(networks, rounds, time) {
  const times = networks.map(() => []);
  for (let done = 0; done < rounds; done += 10)
    for (const [at, network] of networks.entries()) times[at].push(...(await time(network)));
  return times;
}

/** onnxruntime-web in Chromium: milliseconds by batch, file and round. */
async function inOnnxruntime(files, shape, batches, rounds) {
  const browser = await driver.launch({ executablePath: chromium() });
  const runtimes = [];
  try {
    for (const file of files) runtimes.push(await openRuntime(browser, readFileSync(file)));
    const times = {};
    for (const batch of batches)
      times[batch] = await inTurns(runtimes, rounds, (runtime) => runtime.time([batch, ...shape], 10));
    return times;
  } finally {
    for (const runtime of runtimes) await runtime.close();
    await browser.close();
  }
}

/** The lab's core for one thread, in Chromium: milliseconds by batch, file and round. */
async function inGraftlab(files, batches, rounds) {
  const networks = files.map((file) => ({ name: basename(file, '.onnx'), file }));
  const folder = join(cache, 'speed-up');
  await buildBenchPage(folder, networks, ['cpu']);
  const browser = await driveBrowser(folder, { gpu: false });
  const engine = { library: 'graftlab', backend: 'cpu', artifact: 'cpu' };
  try {
    const times = {};
    for (const batch of batches) {
      const loads = [];
      for (const { name } of networks) {
        const load = await browser.open(engine, name, batch);
        await load.losses('forward', 3);
        loads.push(load);
      }
      const ten = { least: 10, most: 10, seconds: 0 };
      times[batch] = await inTurns(loads, rounds, (load) => load.time('forward', ten));
      for (const load of loads) await load.close();
    }
    return times;
  } finally {
    await browser.close();
  }
}

function rowsOf(engine, times) {
  return Object.entries(times).map(([batch, files]) => {
    const each = files.map(median);
    const [originals, merged] = [each.slice(0, -1).reduce((sum, ms) => sum + ms, 0), each.at(-1)];
    return [engine, batch, originals.toFixed(3), merged.toFixed(3), `${(originals / merged).toFixed(2)}×`];
  });
}

async function command() {
  const { folder, networks, rounds } = readOptions();
  const report = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'));
  const originals = report.tasks.map(({ name }) => join(networks, `${name}.onnx`));
  const files = [...originals, join(folder, 'merged.onnx')];
  const missing = files.find((file) => !existsSync(file));
  if (missing) throw new Problem(`${missing} is missing.`, usage);
  await setUp('browser', 'page');
  const script = join(root, 'benches', 'speed_up.py');
  const native = JSON.parse(execFileSync(python, [script, String(rounds), ...files], { encoding: 'utf8' }));
  const batches = Object.keys(native.times).map(Number);
  const web = await inOnnxruntime(files, native.shape, batches, rounds);
  const own = await inGraftlab(files, batches, rounds);
  const { originals: before, merged: after } = report.cost.macs;
  const rows = [
    ...rowsOf(`onnxruntime ${native.version}`, native.times),
    ...rowsOf('onnxruntime-web, wasm', web),
    ...rowsOf('Graftlab, wasm', own),
  ];
  say(
    `\n${cpus()[0]?.model.trim()}, one thread; ${(before / after).toFixed(2)}× fewer MACs. Milliseconds, median of ${rounds}.\n`,
  );
  say('| runtime | images | originals apart | merged | faster |\n|---|--:|--:|--:|--:|');
  for (const row of rows) say(`| ${row.join(' | ')} |`);
}

await main(command);
