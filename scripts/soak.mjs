// `npm run soak`: long runs and many runs of two small networks in one tab of headless Chromium, with the memory of its
// processes sampled. Linux only: it is read from /proc. dist/ has to be built before.

import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ready, startLab } from '../tests/browser/harness.mjs';
import { askForLittle, loadSmall } from '../tests/browser/small-run.mjs';
import { main, Problem, say, step } from './log.mjs';

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
    return { device: values.device, steps: Number(values.steps), runs: Number(values.runs) };
  } catch (error) {
    throw new Problem(error.message, usage);
  }
}

/** Resident memory of all processes below this one, in MiB. */
function memory() {
  const parents = new Map();
  for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      // The name, in parentheses, may hold anything.
      const [, parent] = readFileSync(`/proc/${id}/stat`, 'utf8').split(') ').at(-1).split(' ');
      const pages = Number(readFileSync(`/proc/${id}/statm`, 'utf8').split(' ')[1]);
      parents.set(Number(id), { parent: Number(parent), bytes: pages * 4096 });
    } catch {
      // It has ended meanwhile.
    }
  }
  const isBelow = (id) => id === process.pid || (parents.has(id) && isBelow(parents.get(id).parent));
  let bytes = 0;
  for (const [id, own] of parents) if (id !== process.pid && isBelow(id)) bytes += own.bytes;
  return bytes / 2 ** 20;
}

async function choose(page, device) {
  await page.locator('[popovertarget=backend]').click();
  const name = device === 'cpu' ? 'CPU' : 'WebGPU';
  await page.locator('#backend').getByRole('radio', { name }).check();
  await page.keyboard.press('Escape');
  await ready(page);
}

/** Runs to the end; answers with what `look` gives whenever another tenth of the training is done. */
async function run(page, look = () => null) {
  const seen = [];
  const start = page.locator('#start');
  await start.click();
  await start.waitFor({ state: 'detached' });
  while ((await start.count()) === 0) {
    const status = await page.locator('#run .status').textContent();
    const percent = Number(status.match(/Phase 4 of 6[^%]*?(\d+) %/)?.[1] ?? 0);
    while (percent >= ((seen.length + 1) * 100) / samples) seen.push(look());
    await page.waitForTimeout(100);
  }
  const [problem] = await page.locator('#run').getByRole('alert').allInnerTexts();
  if (problem) throw new Problem(problem);
  return seen;
}

const row = (values) => values.map((value) => `${value.toFixed(0)}`).join(', ');

await main(async () => {
  const { device, steps, runs } = readOptions();
  const lab = await startLab();
  try {
    const { page } = await lab.openReady();
    await choose(page, device);
    await loadSmall(page);
    await askForLittle(page);
    const images = page.getByRole('spinbutton', { name: 'Images', exact: true });

    await images.fill(String(steps * batch));
    const during = await step(`One run of ${steps} steps`, 2, () => run(page, memory));
    say(`Memory in MiB after every tenth: ${row(during)}`);

    await images.fill('320');
    const after = [];
    await step(`${runs} runs in one tab`, 3, async () => {
      for (let at = 1; at <= runs; at++) {
        await run(page);
        if (at % Math.max(1, Math.floor(runs / samples)) === 0) after.push(memory());
      }
    });
    say(`Memory in MiB after every tenth: ${row(after)}`);
  } finally {
    await lab.close();
  }
});
