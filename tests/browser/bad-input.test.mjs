// Bad input through the page, with the real core: what was wrong, what to do about it, and nothing loaded is lost.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { axeViolations, startLab } from './harness.mjs';
import { zip } from './pack.mjs';
import { firstWeight, model, network, node, pictures, table } from './small.mjs';

const images = pictures();
const labels = table(images);
const shade = network('shade', ['dark', 'bright']);
const pack = (files, csv) =>
  zip([...files, ...(csv === undefined ? [] : [['labels.csv', Buffer.from(csv)]])]);
const file = (name, buffer) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(buffer) });

let lab;
let page;
before(async () => {
  lab = await startLab();
  ({ page } = await lab.openReady());
});
after(() => lab?.close());

const runButton = () => page.locator('#start');
const alert = (area) => page.locator(`#${area}`).getByRole('alert');
const give = (area, ...files) => page.locator(`#${area} input[type=file]`).first().setInputFiles(files);
const loaded = (count) => page.locator('#data .total').getByText(`${count} images`).waitFor();

/** Two networks and 80 images, unless they are there. */
beforeEach(async () => {
  if ((await page.locator('.network').count()) === 0) {
    const parity = network('parity', ['even', 'odd'], { seed: 2 });
    await give('networks', file('shade.onnx', shade), file('parity.onnx', parity));
    await page.locator('.network').nth(1).waitFor();
  }
  await give('data', file('pictures.zip', pack(images, labels)));
  await loaded(80);
});

/** Gives a file that is refused. The message holds all of `says`, a hint follows, and all that was there still is. */
async function refused(area, bad, says) {
  await give(area, bad);
  await alert(area).locator('.problem').waitFor();
  const message = await alert(area).locator('.message').textContent();
  for (const text of says) assert.ok(message.includes(text), `“${text}” is not in: ${message}`);
  assert.ok((await alert(area).locator('.hint').textContent()).length > 15);
  await alert(area).getByRole('button', { name: 'Dismiss' }).click();
  assert.deepEqual(await page.locator('.network h3').allTextContents(), ['shade', 'parity']);
  await loaded(80);
  assert.equal(await runButton().isEnabled(), true);
}

const oddOperator = model({
  task: 'odd',
  classes: ['a', 'b'],
  nodes: [
    node('GlobalAveragePool', ['image'], 'average'),
    node('Swirl', ['average'], 'twisted', { name: 'twist', domain: 'com.example' }),
    node('Flatten', ['twisted'], 'logits'),
  ],
  outputs: [['logits', 2]],
});
const flatInput = model({
  task: 'flat',
  classes: ['a', 'b'],
  nodes: [node('Relu', ['image'], 'logits')],
  inputs: [['image', 2]],
  outputs: [['logits', 2]],
});
const twoInputs = model({
  task: 'two',
  classes: ['a', 'b'],
  nodes: [
    node('Add', ['image', 'more'], 'sum'),
    node('GlobalAveragePool', ['sum'], 'average'),
    node('Flatten', ['average'], 'logits'),
  ],
  inputs: [
    ['image', 2, 8, 8],
    ['more', 2, 8, 8],
  ],
  outputs: [['logits', 2]],
});

for (const [title, bytes, says] of [
  ['a file that is no network', 'not a network', ['bad.onnx', 'not an ONNX file']],
  ['a network that is cut short', shade.subarray(0, shade.length / 2), ['bad.onnx']],
  ['an operator that is not known', oddOperator, ['bad.onnx', 'twist', 'Swirl', 'opset']],
  ['a second network for the same task', shade, ['shade']],
  ['a network whose input is no image', flatInput, ['bad.onnx', 'four axes']],
  ['a network with two inputs', twoInputs, ['bad.onnx', '2 inputs']],
]) {
  test(`${title} is refused`, () => refused('networks', file('bad.onnx', bytes), says));
}

for (const [title, bytes, says] of [
  ['a file that is no zip', Buffer.from('PK not really'), ['not a zip']],
  ['an empty zip', pack([]), ['no images']],
  ['a zip without images', pack([['readme.txt', Buffer.from('hello')]]), ['no images']],
  ['a label for a file that is not there', pack(images, `${labels}lost.png,dark,even\n`), ['lost.png']],
  ['a label that is no class', pack(images, labels.replace('dark', 'murky')), ['murky', 'shade', 'row 2']],
  [
    'fewer images than a split needs',
    pack(images.slice(0, 5), table(images.slice(0, 5))),
    ['split', 'needs'],
  ],
]) {
  test(`${title} is refused`, () => refused('data', file('bad.zip', bytes), says));
}

test('a network without the file that holds its weights, until both are given', async () => {
  const split = file('split.onnx', network('split', ['a', 'b'], { beside: 'split.data' }));
  await refused('networks', split, ['split.data']);
  await give('networks', file('split.data', firstWeight()), split);
  const row = page.locator('.network', { hasText: 'split' });
  await row.waitFor();
  await row.getByRole('button', { name: 'Remove split' }).click();
  await row.waitFor({ state: 'detached' });
});

test('an image that does not decode is listed and left out', async () => {
  const torn = images.map(([name, bytes], at) => [name, at === 11 ? bytes.subarray(0, 50) : bytes]);
  await give('data', file('torn.zip', pack(torn, labels)));
  await loaded(79);
  await page.locator('#data summary').getByText('Files skipped: 1').click();
  const row = page.locator('#data .skipped li');
  assert.equal(await row.locator('code').textContent(), 'images/011.png');
  assert.ok((await row.locator('.soft').textContent()).length > 5);
  assert.equal(await runButton().isEnabled(), true);
});

test('a budget that no plan meets offers the nearest, which then works', { timeout: 120_000 }, async () => {
  await page.locator('#budget').fill('0.1');
  await runButton().click();
  const offer = alert('run').getByRole('button', { name: /^Use 0\.\d\d$/ });
  await offer.waitFor();
  assert.match(await alert('run').locator('.message').textContent(), /0\.100/);
  assert.ok((await alert('run').locator('.hint').textContent()).length > 15);
  assert.deepEqual(await axeViolations(page), []);
  const nearest = (await offer.textContent()).trim().slice('Use '.length);

  await offer.click();
  assert.equal(await page.locator('#budget').inputValue(), nearest);
  assert.equal(await alert('run').locator('.problem').count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'start');
  assert.equal(await page.locator('.network').count(), 2);
  await page.keyboard.press('Enter');
  await page.locator('#results').waitFor({ timeout: 100_000 });
});
