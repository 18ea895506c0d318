// `npm run demo`: the bundled demo in headless Chromium, on the page's own build of the core. Writes what the command
// line's `demo` writes.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startLab } from '../tests/browser/harness.mjs';
import { buildAll } from './build.mjs';
import { duration, main, Problem, say, step } from './log.mjs';
import { root } from './paths.mjs';
import { setUp } from './setup.mjs';

const usage = `npm run demo -- --out DIR [options]
  --device cpu|webgpu   the backend; WebGPU runs on a software adapter: an hour or more for --quick on two cores
  --sample NAME         glyphs or garments-digits
  --quick               less accurate, for a first look
  --no-labels           distillation alone`;

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        out: { type: 'string' },
        device: { type: 'string', default: 'cpu' },
        sample: { type: 'string', default: 'glyphs' },
        quick: { type: 'boolean', default: false },
        'no-labels': { type: 'boolean', default: false },
      },
    });
    if (!values.out) throw new Error('--out is missing');
    if (!['cpu', 'webgpu'].includes(values.device)) throw new Error(`There is no device '${values.device}'`);
    return values;
  } catch (error) {
    throw new Problem(error.message, usage);
  }
}

/** Runs in the page: a session of the core, without the page's own worker. */
async function work({ artifact, device, sample, quick, labels }) {
  const bytes = async (path) => {
    const response = await fetch(new URL(`./models/${path}`, document.baseURI));
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  const core = await import(new URL(`./pkg/${artifact}/graftlab.js`, document.baseURI).href);
  await core.default();
  const session = await core.Session.create(device);
  for (const path of sample.networks) {
    session.addNetwork(path.split('/').at(-1), await bytes(path), undefined);
  }
  await session.loadZip(await bytes(sample.data), () => {});
  let last = 0;
  const budget = quick ? sample.quick_budget : sample.budget;
  const settings = { ...core.defaultSettings(quick), budget, use_labels: labels };
  const tell = (event) => {
    if (event.kind === 'phase_started') console.info(event.phase);
    if (event.kind !== 'progress' || performance.now() - last < 20_000) return;
    last = performance.now();
    console.info(`  ${event.phase}: ${event.done} of ${event.total}`);
  };
  const { report, onnx, safetensors } = await session.run(settings, tell, () => {});
  const text = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  return { device: session.device, report, onnx: text(onnx), safetensors: text(safetensors) };
}

async function command() {
  const { out, device, sample: name, quick, 'no-labels': unlabelled } = readOptions();
  const { samples } = JSON.parse(readFileSync(join(root, 'models', 'samples', 'index.json'), 'utf8'));
  const sample = samples.find((sample) => sample.name === name);
  if (!sample) throw new Problem(`There is no sample '${name}'.`, usage);
  await setUp('browser');
  await buildAll();
  const lab = await startLab();
  try {
    const { page, problems } = await lab.open();
    page.setDefaultTimeout(0);
    page.on('console', (message) => message.type() === 'info' && say(`  ${message.text()}`));
    const artifact = device === 'cpu' ? 'cpu' : 'gpu';
    const started = Date.now();
    let result;
    await step(`The demo '${name}' in Chromium ${lab.browser.version()}`, 0, async () => {
      result = await page.evaluate(work, { artifact, device, sample, quick, labels: !unlabelled });
    });
    if (problems.length)
      throw new Problem(`The page reports: ${problems.join('\n')}`, 'No file was written.');
    mkdirSync(resolve(out), { recursive: true });
    const write = (file, data) => writeFileSync(join(resolve(out), file), data);
    write('merged.onnx', Buffer.from(result.onnx, 'base64'));
    write('merged.safetensors', Buffer.from(result.safetensors, 'base64'));
    write('run.json', JSON.stringify(result.report, null, 2));
    const { cost, tasks, worst_drop_points } = result.report;
    say(
      `${result.device}; ${cpus()[0]?.model.trim()}, ${cpus().length} cores; ${duration(Date.now() - started)}`,
    );
    const percent = (share) => (share * 100).toFixed(2);
    for (const { name, test } of tasks) {
      say(`  ${name.padEnd(14)} ${percent(test.original)} %, merged ${percent(test.merged)} %`);
    }
    const fewer = (cost.macs.originals / cost.macs.merged).toFixed(2);
    say(`  ${fewer}× fewer MACs, worst drop ${worst_drop_points.toFixed(2)} points; written to ${out}`);
  } finally {
    await lab.close();
  }
}

await main(command);
