// `npm run demo`: the bundled demo on the page, in headless Chromium. Writes what the command line's `demo` writes.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseBackend, download, startLab } from '../tests/browser/harness.mjs';
import { buildAll } from './build.mjs';
import { duration, main, Problem, say, step } from './log.mjs';
import { setUp } from './setup.mjs';
import { artifactKinds } from './wasm.mjs';

const usage = `npm run demo -- --out DIR [options]
  --device cpu|webgpu   the backend; WebGPU runs on a software adapter: some 45 minutes for --quick
  --gpu                 the machine's own GPU instead
  --sample NAME         glyphs or garments-digits
  --quick               less accurate, for a first look
  --no-labels           distillation alone`;

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        out: { type: 'string' },
        device: { type: 'string', default: 'cpu' },
        gpu: { type: 'boolean', default: false },
        sample: { type: 'string', default: 'glyphs' },
        quick: { type: 'boolean', default: false },
        'no-labels': { type: 'boolean', default: false },
      },
    });
    if (!values.out) throw new Error('--out is missing');
    if (!['cpu', 'webgpu'].includes(values.device)) throw new Error(`There is no device '${values.device}'`);
    if (values.gpu && values.device === 'cpu') throw new Error('--gpu is for --device webgpu');
    return values;
  } catch (error) {
    throw new Problem(error.message, usage);
  }
}

/** Does what a person does: chooses, runs, and says now and then what the page says. */
async function runOnPage(page, { device, title, quick, labels }) {
  await chooseBackend(page, device === 'cpu' ? 'CPU' : 'WebGPU');
  await page.getByRole('button', { name: `Load only: ${title}` }).click();
  await page.locator('#start:not(:disabled)').waitFor();
  await page.getByRole('radio', { name: quick ? 'Quick' : 'Full' }).check();
  await page.getByRole('checkbox', { name: 'Use labels' }).setChecked(labels);
  await page.locator('#start').click();
  const told = setInterval(async () => {
    const [headline, details] = await page.locator('#run .status > p').allTextContents();
    say(`  ${headline}: ${details}`);
  }, 20_000);
  await page
    .locator('#results')
    .waitFor({ timeout: 0 })
    .finally(() => clearInterval(told));
}

async function command() {
  const { out, device, gpu, sample: name, quick, 'no-labels': unlabelled } = readOptions();
  const title = { glyphs: 'Glyphs', 'garments-digits': 'Garments and digits' }[name];
  if (!title) throw new Problem(`There is no sample '${name}'.`, usage);
  await setUp('page');
  await buildAll(artifactKinds.filter((kind) => kind !== 'gpu' || device === 'webgpu'));
  const lab = await startLab({ gpu });
  try {
    const { page, problems } = await lab.openReady();
    page.setDefaultTimeout(device === 'cpu' ? 60_000 : 600_000);
    await step(`The demo '${name}' in Chromium ${lab.browser.version()}`, 0, () =>
      runOnPage(page, { device, title, quick, labels: !unlabelled }),
    );
    if (problems.length)
      throw new Problem(`The page reports: ${problems.join('\n')}`, 'No file was written.');
    mkdirSync(resolve(out), { recursive: true });
    for (const file of ['merged.onnx', 'merged.safetensors', 'run.json'])
      writeFileSync(join(resolve(out), file), await download(page, file));
    const report = JSON.parse(readFileSync(join(resolve(out), 'run.json'), 'utf8'));
    const { cost, tasks, seconds, worst_drop_points } = report;
    say(
      `${report.device}; ${cpus()[0]?.model.trim()}, ${cpus().length} cores; ${duration(seconds.total * 1000)}`,
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
