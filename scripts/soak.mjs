// `npm run soak`: long runs and many runs of two small networks in one tab of headless Chromium, with the memory of its
// processes sampled. Linux only: it is read from /proc. dist/ has to be built before.

import { parseArgs } from 'node:util';
import { chooseBackend, startLab } from '../tests/browser/harness.mjs';
import { askForLittle, loadSmall } from '../tests/browser/small-run.mjs';
import { main, Problem, say, step } from './log.mjs';
import { memoryByProcess, together } from './memory.mjs';

const usage = `npm run soak -- [options]
  --device cpu|webgpu   (default: cpu)
  --steps N             of one long training (default: 10000)
  --runs N              one after another (default: 50)`;

const batch = 16;
const samples = 10;

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        device: { type: 'string', default: 'cpu' },
        steps: { type: 'string', default: '10000' },
        runs: { type: 'string', default: '50' },
      },
    });
    if (!['cpu', 'webgpu'].includes(values.device)) throw new Error(`There is no device '${values.device}'`);
    return { device: values.device, steps: Number(values.steps), runs: Number(values.runs) };
  } catch (error) {
    throw new Problem(error.message, usage);
  }
}

/** Runs to the end; answers with what `look` gives whenever another tenth of the training is done. */
async function run(page, look = () => null) {
  const seen = [];
  const start = page.locator('#start');
  await start.click();
  await start.waitFor({ state: 'detached' });
  while ((await start.count()) === 0) {
    const status = await page.locator('#run .status').textContent();
    const percent = Number(status.match(/Phase 4 of 6[^%]*?(\d+)\s%/)?.[1] ?? 0);
    while (percent >= ((seen.length + 1) * 100) / samples) seen.push(look());
    await page.waitForTimeout(100);
  }
  const [problem] = await page.locator('#run').getByRole('alert').allInnerTexts();
  if (problem) throw new Problem(problem);
  return seen;
}

/** Lines of what was sampled: all processes, then each kind of them that holds more than 50 MiB at first. */
function rows(samples) {
  const row = (values) => values.map((value) => value.toFixed(0)).join(', ');
  const types = Object.keys(samples[0] ?? {}).filter((type) => samples[0][type] > 50);
  return [
    `all: ${row(samples.map(together))}`,
    ...types.map((type) => `${type}: ${row(samples.map((sample) => sample[type] ?? 0))}`),
  ]
    .map((line) => `  ${line}`)
    .join('\n');
}

await main(async () => {
  const { device, steps, runs } = readOptions();
  const lab = await startLab();
  try {
    const { page } = await lab.openReady();
    await chooseBackend(page, device === 'cpu' ? 'CPU' : 'WebGPU');
    await loadSmall(page);
    await askForLittle(page);
    const images = page.getByRole('spinbutton', { name: 'Images', exact: true });

    await images.fill(String(steps * batch));
    let during = [];
    await step(`One run of ${steps} steps`, 2, async () => {
      during = await run(page, memoryByProcess);
    });
    say(`Memory in MiB after every tenth:\n${rows(during)}`);

    await images.fill('320');
    const after = [];
    await step(`${runs} runs in one tab`, 3, async () => {
      for (let at = 1; at <= runs; at++) {
        await run(page);
        if (at % Math.max(1, Math.floor(runs / samples)) === 0) after.push(memoryByProcess());
      }
    });
    say(`Memory in MiB after every tenth:\n${rows(after)}`);
  } finally {
    await lab.close();
  }
});
