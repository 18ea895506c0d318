// Settings of an expert, with the real core.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axeViolations, download, startLab } from './harness.mjs';
import { askForLittle, loadSmall, runSmall, small } from './small-run.mjs';

let lab;
before(async () => {
  lab = await startLab();
});
after(() => lab?.close());

async function openSmall(options) {
  const opened = await lab.openReady(options);
  await loadSmall(opened.page);
  return opened;
}

test('what is set is what the run gets, and bad numbers are not taken', async () => {
  const { page, context, problems } = await openSmall();
  await askForLittle(page);
  const number = (name) => page.getByRole('spinbutton', { name, exact: true });
  await number('Temperature').fill('2.5');
  await number('Hints').fill('0.5');
  await number('Batch size').fill('0');
  await page.getByText('A whole number from 1.').waitFor();
  await number('Batch size').blur();
  assert.equal(await number('Batch size').inputValue(), '16');
  await page.getByRole('checkbox', { name: 'Shortcuts' }).check();
  await page.getByText('8 changed').waitFor();
  assert.deepEqual(await axeViolations(page), []);

  await runSmall(page);
  const { settings } = JSON.parse(await download(page, 'run.json'));
  assert.equal(settings.train.temperature, 2.5);
  assert.equal(settings.train.hint_weight, 0.5);
  assert.equal(settings.train.batch_size, 16);
  assert.equal(settings.train.image_passes, 320);
  assert.equal(settings.search.shortcuts, true);
  assert.equal(settings.base, null);

  await page.getByRole('button', { name: 'Back to the defaults' }).click();
  assert.equal(await number('Temperature').inputValue(), '4');
  assert.equal(await page.getByText(/\d+ changed/).count(), 0);
  assert.deepEqual(problems, []);
  await context.close();
});

test('a budget can count parameters or time, and the plans are told in it', async () => {
  const { page, context } = await openSmall();
  await askForLittle(page);
  const counts = page.locator('#search').getByRole('group', { name: 'It counts' });
  await page.getByText(/of .* MACs/).waitFor();
  await counts.getByRole('radio', { name: 'parameters' }).check();
  await page.getByText(/of .* parameters/).waitFor();
  await counts.getByRole('radio', { name: 'milliseconds' }).check();
  await page.getByText('is timed on this device').waitFor();
  assert.deepEqual(await axeViolations(page), []);
  await counts.getByRole('radio', { name: 'parameters' }).check();
  await runSmall(page);
  const report = JSON.parse(await download(page, 'run.json'));
  assert.equal(report.settings.cost, 'params');
  const { relative_cost } = report.plan;
  await page
    .getByRole('radio', { name: `${Math.round(relative_cost * 100)}\u202f% of the cost` })
    .first()
    .waitFor();
  await context.close();
});

test('a network that is in use keeps its weights, and what is added can be had alone', async () => {
  const { page, context, problems } = await openSmall();
  await askForLittle(page);
  await page.getByRole('combobox', { name: 'Is one of them in use already?' }).selectOption('shade');
  await page.locator('.network', { hasText: 'shade' }).getByText('stays as it is').waitFor();
  assert.deepEqual(await axeViolations(page), []);
  await runSmall(page);
  await page.getByText('shade is in it unchanged').waitFor();
  const { settings } = JSON.parse(await download(page, 'run.json'));
  assert.equal(settings.base, 'shade');
  const merged = await download(page, 'merged.onnx');
  const graft = await download(page, 'graft.onnx');
  const weights = weightsOf(small.shade);
  assert.ok(weights.every((weight) => merged.includes(weight)));
  assert.ok(weights.every((weight) => !graft.includes(weight)));
  assert.equal(
    weightsOf(small.parity).every((weight) => merged.includes(weight)),
    false,
  );

  // Taken away, it is nobody's base any more.
  await page.getByRole('button', { name: 'Remove shade' }).click();
  await page.locator('.network').nth(1).waitFor({ state: 'detached' });
  assert.equal(await page.getByRole('combobox', { name: 'Is one of them in use already?' }).count(), 0);
  assert.deepEqual(problems, []);
  await context.close();
});

/** The raw bytes of the weights of a small network: fields 9 of its tensors. */
function weightsOf(bytes) {
  return ['first', 'second', 'classifier'].map((name) => {
    // Field 8, the name, is followed by field 9, the values, each with its length.
    const at = bytes.indexOf(Buffer.concat([Buffer.from([0x42, name.length]), Buffer.from(name)]));
    let cursor = at + 2 + name.length + 1;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[cursor++];
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    return bytes.subarray(cursor, cursor + length);
  });
}
