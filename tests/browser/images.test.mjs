// Single images: thumbnails, what was taken for what, and trying one's own.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { axeViolations, download, startLab } from './harness.mjs';
import { pictures } from './small.mjs';
import { askForLittle, file, loadSmall, runSmall } from './small-run.mjs';

let lab;
let opened;
before(async () => {
  lab = await startLab({ args: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] });
  opened = await lab.openReady({ permissions: ['camera'] });
  await loadSmall(opened.page);
});
after(() => lab?.close());

test('the loaded images can be looked at, each with its labels and its use', async () => {
  const { page } = opened;
  const images = page.getByRole('region', { name: 'All images' });
  await images.scrollIntoViewIfNeeded();
  const first = images.getByRole('img', { name: /shade: (dark|bright) · parity: (even|odd) · / }).first();
  await first.waitFor();
  const names = await images.getByRole('img').evaluateAll((all) => all.map(({ ariaLabel }) => ariaLabel));
  assert.ok(
    names.every((name) => /\.png · .* · (train|search|validate|test)$/.test(name)),
    names.join('\n'),
  );
  assert.deepEqual(await axeViolations(page), []);
});

test('every number of the confusion matrix opens its images', async () => {
  const { page } = opened;
  await askForLittle(page);
  await runSmall(page);
  const report = JSON.parse(await download(page, 'run.json'));
  await page.getByRole('button', { name: 'Compare image by image' }).click();
  const matrix = page.getByRole('application', { name: /^Confusion matrix of 2 classes/ });
  await matrix.waitFor();

  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save “Image by image” as CSV' }).click(),
  ]);
  const rows = (await readFile(await saved.path())).toString().trim().split('\r\n').slice(1);
  for (const { name, test } of report.tasks) {
    const own = rows.map((row) => row.split(',')).filter(([, task]) => task === name);
    assert.equal(own.length, test.images);
    const right = own.filter(([, , label, , merged]) => label === merged).length;
    assert.equal(right / test.labelled, test.merged, name);
  }

  await matrix.focus();
  await page.keyboard.press('ArrowRight');
  let told = 0;
  for (const key of ['ArrowRight', 'ArrowDown', 'ArrowLeft']) {
    const words = await page.locator('#results .matrix p').filter({ hasText: 'answered' }).textContent();
    const count = Number(words.match(/: (\d+)/)[1]);
    told += count;
    const images = page.locator('#results').getByRole('button', { name: /\.png · is / });
    if (count > 0) await images.first().waitFor();
    assert.equal(await images.count(), count, words);
    await page.keyboard.press(key);
  }
  assert.ok(told > 0);
  assert.deepEqual(await axeViolations(page), []);
});

test('an image from the list, a file and the camera are asked about', async () => {
  const { page, problems } = opened;
  const opinions = page.locator('#results .opinions').getByRole('region');
  const results = page.locator('#results');

  await results
    .getByRole('radio', { name: /^wrong in both|^right before/ })
    .first()
    .waitFor();
  const [[, picture]] = pictures(1);
  await results.locator('input[type=file]').setInputFiles(file('mine.png', picture));
  await opinions.first().waitFor();
  assert.deepEqual(await opinions.evaluateAll((all) => all.map(({ ariaLabel }) => ariaLabel)), [
    'shade',
    'parity',
  ]);
  const shares = await opinions.first().locator('.meter .value').allTextContents();
  const sum = shares.slice(0, 2).reduce((total, text) => total + Number.parseFloat(text), 0);
  assert.ok(Math.abs(sum - 100) <= 1, shares.join());

  await results.locator('input[type=file]').setInputFiles(file('text.png', Buffer.from('no image')));
  await results.getByText('this is no image that can be read').waitFor();

  await results.getByRole('button', { name: 'Use the camera' }).click();
  await page.waitForFunction(() => document.querySelector('#results video')?.videoWidth > 0);
  await results.getByRole('button', { name: 'Take this picture' }).click();
  await results.getByText('this is no image').waitFor({ state: 'detached' });
  await results.getByRole('button', { name: 'Close the camera' }).click();
  assert.equal(await results.locator('video').count(), 0);
  assert.deepEqual(await axeViolations(page), []);
  assert.deepEqual(problems, []);
});

test('pictures from the camera are images to learn from, labelled as was said', async () => {
  const { page, problems } = opened;
  const data = page.locator('#data');
  await data.getByRole('button', { name: 'Take pictures with the camera' }).click();
  await page.waitForFunction(() => document.querySelector('#data video')?.videoWidth > 0);
  await data.getByRole('combobox', { name: 'shade' }).selectOption('dark');
  await data.getByRole('button', { name: 'Take one' }).click();
  await data.getByText('Pictures taken: 1.').waitFor();
  await data.getByRole('combobox', { name: 'shade' }).selectOption('bright');
  await data.getByRole('button', { name: 'Take many in one go' }).click();
  await data.getByText(/^Pictures taken: [3-9]\d\./).waitFor();
  await data.getByRole('button', { name: 'Enough' }).click();
  assert.deepEqual(await axeViolations(page), []);

  await data.getByRole('button', { name: /^Use these \d+$/ }).click();
  await data.locator('video').waitFor({ state: 'detached' });
  const [count] = (await data.locator('.total').textContent()).match(/\d+/);
  await data.getByText(`${count} of ${count} labelled`).waitFor();
  await data.getByText('no labels: its network teaches it').waitFor();
  assert.deepEqual(problems, []);
});
