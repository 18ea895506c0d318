// What the page makes, in another runtime in the same browser.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { download, startLab } from './harness.mjs';
import { runNatively } from './native.mjs';
import { openRuntime } from './onnxruntime.mjs';
import { readPack } from './pack.mjs';

// A quick run takes about a minute of computing; a busy machine takes longer.
const runTime = 15 * 60_000;

let lab;
before(async () => {
  lab = await startLab();
});
after(() => lab?.close());

const largest = (row) => row.indexOf(Math.max(...row));

test('the page’s merged network does the same in onnxruntime-web', { timeout: runTime }, async () => {
  const { page, context, problems } = await lab.openReady();
  await page.getByRole('button', { name: 'Load and run: Glyphs' }).click();
  await page.locator('#results').waitFor({ timeout: runTime });
  const report = JSON.parse(await download(page, 'run.json'));
  const network = await download(page, 'merged.onnx');
  await context.close();
  assert.equal(report.device, 'cpu');
  assert.deepEqual(problems, []);

  const { rows, files } = readPack('glyphs');
  const images = rows.filter(({ split }) => split === 'test');
  const runtime = await openRuntime(lab.browser, network);
  const { outputs } = await runtime.run(images.map(({ file }) => files.get(file)));
  const few = await runtime.run(images.slice(0, 20).map(({ file }) => files.get(file)));
  await runtime.close();
  assert.deepEqual(Object.keys(outputs), ['character', 'typeface', 'emphasis']);

  report.tasks.forEach(({ name, classes, test: { merged, labelled } }, index) => {
    const right = images.filter((row, at) => classes[largest(outputs[name][at])] === row[name]);
    assert.equal(labelled, images.length);
    assert.equal(right.length / images.length, merged, name);

    const expected = runNatively(network, few.pixels, few.shape, index);
    const found = few.outputs[name].flat();
    assert.equal(found.length, expected.length);
    const difference = Math.max(...found.map((value, at) => Math.abs(value - expected[at])));
    assert.ok(difference <= 1e-3 * Math.max(...expected.map(Math.abs)), `${name}: ${difference}`);
  });
});
