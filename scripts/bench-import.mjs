// `npm run bench-import`: import and forward pass of a MobileNetV2 at 224 × 224, natively and in Chromium, beside
// onnxruntime and onnxruntime-web, one thread each, as the table of docs/benchmarks-import.md.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLab } from '../tests/browser/harness.mjs';
import { openRuntime } from '../tests/browser/onnxruntime.mjs';
import { buildAll } from './build.mjs';
import { main, say } from './log.mjs';
import { nativeTarget, root } from './paths.mjs';
import { setUp } from './setup.mjs';
import { python } from './tools.mjs';

const passes = 30;
const image = [1, 3, 224, 224];

/** Milliseconds of Graftlab and onnxruntime, natively. */
function natively(file) {
  const env = { ...process.env, CARGO_TARGET_DIR: nativeTarget };
  return JSON.parse(
    execFileSync(python, [join(root, 'benches', 'import.py'), file], { encoding: 'utf8', env }),
  );
}

/** Milliseconds of forward passes in Chromium. */
async function inBrowser(file) {
  const lab = await startLab();
  try {
    const network = readFileSync(file);
    const { page } = await lab.open();
    const ours = await page.evaluate(forward, [network.toString('base64'), passes]);
    const runtime = await openRuntime(lab.browser, network);
    const theirs = await runtime.time(image, passes);
    await runtime.close();
    return { 'Graftlab, wasm': { forward: ours }, 'onnxruntime-web, wasm': { forward: theirs } };
  } finally {
    await lab.close();
  }
}

// Runs in the page.
async function forward([text, passes]) {
  const core = await import(new URL('./pkg/cpu/graftlab.js', document.baseURI).href);
  await core.default();
  const session = await core.Session.create('cpu');
  const network = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const bench = session.bench(network, 1);
  const times = [];
  for (let pass = 0; pass <= passes; pass++) {
    const start = performance.now();
    await bench.forward();
    if (pass > 0) times.push(performance.now() - start);
  }
  return times;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

function cell(values) {
  if (!values) return '';
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)];
  return `${middle.toFixed(1)} (${least.toFixed(1)}–${most.toFixed(1)})`;
}

async function command() {
  await setUp('browser');
  await buildAll(['cpu']);
  const folder = mkdtempSync(join(tmpdir(), 'graftlab-import-'));
  try {
    const file = join(folder, 'mobilenet_v2.onnx');
    const rows = [natively(file), await inBrowser(file)].map(Object.entries);
    const size = (statSync(file).size / 1e6).toFixed(1);
    say(
      `\n${cpus()[0]?.model.trim()}. MobileNetV2, ${size} MB, one image of 3 × 224 × 224, one thread; milliseconds,`,
    );
    say(`median (least–most; ${passes} runs):\n`);
    say('|  | import | first forward pass | forward pass |\n|---|--:|--:|--:|');
    for (const [[ours, our], [theirs, their]] of rows) {
      for (const [name, { import: load, first, forward }] of [
        [ours, our],
        [theirs, their],
      ])
        say(`| ${name} | ${cell(load)} | ${first ? first.toFixed(1) : ''} | ${cell(forward)} |`);
      const ratio = (key) => (our[key] ? (median(our[key]) / median(their[key])).toFixed(2) : '');
      say(`| ratio | ${ratio('import')} | | ${ratio('forward')} |`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await main(command);
