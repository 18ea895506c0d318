// Several threads for the core: where the browser allows them, and with the same outcome as one.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { headers } from '../../scripts/headers.mjs';
import { root } from '../../scripts/paths.mjs';
import { axeViolations, startLab } from './harness.mjs';
import { readPack, smallPack } from './pack.mjs';
import { loadSmall } from './small-run.mjs';

const slow = { timeout: 5 * 60_000 };
const encoded = (bytes) => Buffer.from(bytes).toString('base64');
const bundled = ['character', 'typeface'].map((name) => [
  `${name}.onnx`,
  encoded(readFileSync(join(root, 'models', 'networks', `${name}.onnx`))),
]);
const images = { train: 160, validation: 48, test: 64 };
const search = { calibration_images: 64, score_images: 16, finalists: 2, finalist_image_passes: 64 };
const train = { image_passes: 256, batch_size: 16 };

let lab;
before(async () => {
  lab = await startLab();
});
after(() => lab?.close());

const device = async (page) => {
  await page.locator('[popovertarget=backend]').click();
  return page.locator('#backend').textContent();
};

/** What a small run in a worker of its own gives: with all threads, or with one, of the artifact that another worker has. */
const run = (page, beside) =>
  page.evaluate(
    async ({ address, beside, bundled, pack, search, train }) => {
      const file = (text) => new Blob([Uint8Array.from(atob(text), (character) => character.charCodeAt(0))]);
      const worker = new Worker(address, { type: 'module' });
      let last = 0;
      const ask = (method, args) =>
        new Promise((resolve, reject) => {
          const id = ++last;
          worker.onerror = ({ message }) => reject(new Error(message));
          worker.addEventListener('message', ({ data }) => {
            if (data.id !== id || data.kind === 'event') return;
            if (data.kind === 'value') resolve(data.value);
            else reject(new Error(JSON.stringify(data.failure)));
          });
          worker.postMessage({ id, method, args });
        });
      const { device, settings } = await ask('open', { base: document.baseURI, wish: 'cpu', beside });
      for (const [path, text] of bundled) await ask('add_network', { file: { path, file: file(text) } });
      await ask('load_zip', { file: { path: 'small.zip', file: file(pack) } });
      const { quick } = settings;
      Object.assign(quick.search, search);
      Object.assign(quick.train, train);
      const { onnx, report } = await ask('run', { settings: quick, crew: 0 });
      worker.terminate();
      const digest = await crypto.subtle.digest('SHA-256', onnx);
      return { device, plan: report.plan, onnx: [...new Uint8Array(digest)].join(' ') };
    },
    {
      address: page.workers()[0].url(),
      beside,
      bundled,
      pack: encoded(smallPack(readPack('glyphs'), images)),
      search,
      train,
    },
  );

test('an isolated page shares the work over threads, and says how many', slow, async () => {
  const { page, problems } = await lab.openReady();
  const cores = await page.evaluate(() => navigator.hardwareConcurrency);
  const most = Math.min(cores, 8);
  assert.match(await device(page), most > 1 ? new RegExp(`${most} threads`) : /CPU \(SIMD\)/);
  assert.deepEqual(problems, []);
});

test('the number of threads changes no bit of the outcome', slow, async () => {
  const { page } = await lab.openReady();
  const one = await run(page, 'threads');
  const several = await run(page);
  assert.doesNotMatch(one.device, /threads/);
  assert.match(several.device, /\d threads/);
  assert.equal(several.onnx, one.onnx);
  assert.deepEqual(several.plan, one.plan);
});

test('a page that is not isolated works with one thread', slow, async () => {
  const { 'Cross-Origin-Opener-Policy': _, ...unisolated } = headers();
  const other = await startLab({ headers: unisolated });
  try {
    const { page, problems } = await other.openReady();
    assert.equal(await page.evaluate(() => globalThis.crossOriginIsolated), false);
    const text = await device(page);
    assert.match(text, /CPU \(SIMD\)/);
    assert.deepEqual(problems, []);
  } finally {
    await other.close();
  }
});

test('the loaded networks are timed on this machine', slow, async () => {
  const { page, problems } = await lab.openReady();
  await loadSmall(page);
  await page.locator('[popovertarget=backend]').click();
  const menu = page.locator('#backend');
  await menu.getByRole('button', { name: 'Start', exact: true }).click();
  await menu.getByRole('row', { name: 'parity: training step' }).waitFor({ timeout: 60_000 });
  assert.deepEqual(await axeViolations(page), []);
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    menu.getByRole('button', { name: 'Save as JSON' }).click(),
  ]);
  const rows = JSON.parse(readFileSync(await file.path(), 'utf8'));
  assert.deepEqual(
    rows.map(({ workload }) => workload),
    ['shade', 'parity'].flatMap((name) => [`${name}: forward pass`, `${name}: training step`]),
  );
  for (const { ms_min, ms_median, ms_max, runs } of rows)
    assert.ok(0 < ms_min && ms_min <= ms_median && ms_median <= ms_max && runs >= 3);
  assert.deepEqual(problems, []);
});
