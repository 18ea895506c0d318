// The lab as a person uses it, with the real core, on the CPU.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { root } from '../../scripts/paths.mjs';
import { axeViolations, download, startLab } from './harness.mjs';

// A quick run takes about two minutes of computing, a full search some more; a busy machine takes longer.
const runTime = 10 * 60_000;

const { samples } = JSON.parse(readFileSync(join(root, 'models', 'samples', 'index.json'), 'utf8'));

let lab;
before(async () => {
  lab = await startLab();
});
after(() => lab?.close());

async function loadSample(page, title) {
  await page.getByRole('button', { name: `Load only: ${title}` }).click();
  await page
    .locator('#data')
    .getByText(/images/, { exact: false })
    .first()
    .waitFor();
  await page
    .getByRole('button', { name: 'Run', exact: true })
    .and(page.locator(':enabled'))
    .waitFor({ timeout: 120_000 });
}

const noAxeViolations = async (page, where) => assert.deepEqual(await axeViolations(page), [], where);

const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

test('the backend is chosen automatically, with its reason, and can be switched', async () => {
  const { page, context } = await lab.openReady();
  await page.locator('[popovertarget=backend]').click();
  const sheet = page.locator('#backend');
  await sheet.getByText('made of software').waitFor();
  assert.equal(await sheet.getByRole('radio', { name: 'Automatic' }).isChecked(), true);
  await sheet.getByRole('radio', { name: 'CPU' }).check();
  await sheet.getByText('You chose it.').waitFor({ timeout: 60_000 });
  await context.close();
});

test('“0 bytes sent” holds: the browser refuses other addresses in the page and in the worker', async () => {
  const { page, context, problems } = await lab.openReady();
  await page.locator('[popovertarget=privacy]').click();
  await page.getByRole('button', { name: 'Try to reach another address' }).click();
  await page.getByText('Refused by the browser, in the page and in the worker.').waitFor();
  assert.deepEqual(
    problems.filter((problem) => problem.startsWith('left this machine')),
    [],
  );
  await context.close();
});

test('one click on a sample gives a result with its files', { timeout: runTime }, async () => {
  const { page, context, problems } = await lab.openReady();
  await page.getByRole('button', { name: 'Load and run: Glyphs' }).click();
  await page.locator('#run [aria-current=step]').waitFor({ timeout: 120_000 });
  await page.locator('#results').waitFor({ timeout: runTime });

  const rows = page.locator('#results').getByRole('table', { name: 'Accuracy by task' }).locator('tbody tr');
  assert.deepEqual(
    (await rows.locator('.task').allTextContents()).map((text) => text.trim().slice(1).trim()),
    ['character', 'typeface', 'emphasis'],
  );
  assert.match(await rows.first().textContent(), /\d+\.\d\d.%/);
  await noAxeViolations(page, 'results');

  const report = JSON.parse(await download(page, 'run.json'));
  const plans = page.locator('#run').getByRole('table').filter({ hasText: 'Worst drop in points' });
  assert.equal(
    await plans.locator('tbody tr').count(),
    new Set(report.judged.map(({ plan }) => JSON.stringify(plan.networks))).size,
  );
  assert.equal(await plans.getByText('chosen').count(), 1);
  assert.equal(report.tasks.length, 3);
  assert.ok(report.cost.macs.merged < report.cost.macs.originals);
  const shown = await page.locator('#results dd').first().textContent();
  assert.equal(shown, `${(report.cost.macs.originals / report.cost.macs.merged).toFixed(2)}×`);
  assert.ok((await download(page, 'merged.onnx')).length > 1000);
  assert.ok((await download(page, 'merged.safetensors')).length > 1000);

  await page.setViewportSize({ width: 360, height: 740 });
  await noAxeViolations(page, 'results, narrow');
  const table = page.getByRole('table', { name: 'Accuracy by task' });
  assert.deepEqual(await table.getByRole('columnheader').count(), 6);
  // Charts learn of the new width a moment later.
  await page.waitForFunction(() => document.documentElement.scrollWidth <= 360);
  assert.deepEqual(problems, []);
  await context.close();
});

test('a sample brings its budget', async () => {
  for (const { title, budget, quick_budget } of samples) {
    const { page, context } = await lab.openReady();
    await loadSample(page, title);
    const shown = async () => Number(await page.locator('#budget').inputValue());
    assert.equal(await shown(), quick_budget, title);
    await page.getByRole('radio', { name: 'Full' }).check();
    assert.equal(await shown(), budget, title);
    await context.close();
  }
});

test('the way to choose follows the effort until one is chosen, also from the keyboard', async () => {
  const { page, context } = await lab.openReady();
  const way = (name) => page.locator('#search').getByRole('radio', { name: new RegExp(`^${name}`) });
  const isChosen = async (name) => assert.equal(await way(name).isChecked(), true, name);
  await isChosen('Best match');
  await page.getByRole('radio', { name: 'Full' }).check();
  await isChosen('Search');
  const more = page.getByText('More ways to choose');
  assert.equal(await way('Random').isVisible(), false);
  await more.focus();
  await page.keyboard.press('Enter');
  await way('Same depth').focus();
  await page.keyboard.press('ArrowDown');
  await isChosen('Random');
  await noAxeViolations(page, 'all ways to choose');
  await more.click();
  assert.equal(await way('Random').isVisible(), false);
  await page.locator('summary', { hasText: 'Random' }).waitFor();
  await page.getByRole('radio', { name: 'Quick' }).check();
  await more.click();
  await isChosen('Random');
  await context.close();
});

test('a seed field that is emptied keeps the last number', async () => {
  const { page, context } = await lab.openReady();
  const seed = page.getByRole('spinbutton', { name: 'Seed' });
  await seed.fill('12');
  await seed.fill('');
  await seed.blur();
  assert.equal(await seed.inputValue(), '12');
  await context.close();
});

test('a search shows its probabilities, and stopped while it trains leaves a network', {
  timeout: runTime,
}, async () => {
  const { page, context, problems } = await lab.openReady();
  await loadSample(page, 'Garments and digits');
  await page.getByRole('radio', { name: 'Full' }).check();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  const search = page.locator('#run').getByRole('heading', { name: 'Where the search leans' });
  await search.waitFor();
  await page
    .locator('#run')
    .getByText(/^step \d+ of \d+$/)
    .waitFor({ timeout: runTime });
  await page.locator('#run').getByText('keeps its own input').first().waitFor();
  await noAxeViolations(page, 'searching');
  await page.getByRole('status').getByText('Phase 4 of 6').waitFor({ timeout: runTime });
  await page.locator('.curve').first().waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page
    .getByRole('status')
    .getByText('Stopped. The network below is as far as training got.')
    .waitFor({ timeout: runTime });
  assert.ok((await download(page, 'merged.onnx')).length > 1000);
  assert.equal(await search.count(), 0);
  const { search_steps } = JSON.parse(await download(page, 'run.json'));
  const slider = page.locator('#results').getByRole('slider', { name: 'Go through the search' });
  assert.equal(Number(await slider.inputValue()), search_steps.length - 1);
  await slider.focus();
  await page.keyboard.press('Home');
  const { step, steps } = search_steps[0];
  assert.equal(await slider.getAttribute('aria-valuetext'), `step ${step} of ${steps}`);
  await noAxeViolations(page, 'results of a search');
  assert.deepEqual(problems, []);
  await context.close();
});

test('a run that is stopped early says so, and can be run again', { timeout: runTime }, async () => {
  const { page, context } = await lab.openReady();
  await loadSample(page, 'Glyphs');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('Stopped before there was a network.').waitFor({ timeout: 120_000 });
  assert.equal(await page.locator('.network').count(), 3);
  await page.getByRole('button', { name: 'Run again' }).click();
  await page.locator('#run [aria-current=step]').waitFor();
  await context.close();
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing and 360 pixels are enough, ${colorScheme}`, async () => {
    const { page, context } = await lab.openReady({ colorScheme, viewport: { width: 360, height: 740 } });
    await noAxeViolations(page, 'first view');
    await loadSample(page, 'Glyphs');
    for (const details of await page.locator('.network details').all()) {
      await details.evaluate((element) => {
        element.open = true;
      });
    }
    await noAxeViolations(page, 'loaded');
    assert.equal(await overflow(page), 0);
    for (const id of ['backend', 'privacy']) {
      await page.locator(`[popovertarget=${id}]`).click();
      await noAxeViolations(page, id);
      await page.keyboard.press('Escape');
    }
    await context.close();
  });
}

test('the keyboard reaches everything in order, first a link past the header', async () => {
  const { page, context } = await lab.openReady();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the networks');
  await page.getByRole('button', { name: 'Load and run: Glyphs' }).focus();
  const visited = [];
  for (let n = 0; n < 20; n++) {
    await page.keyboard.press('Tab');
    visited.push(
      await page.evaluate(() => document.activeElement.textContent?.trim() || document.activeElement.id),
    );
  }
  for (const name of ['Choose ONNX files', 'Choose a zip', 'Choose a folder', 'budget']) {
    assert.ok(visited.includes(name), `${name} in ${visited.join(', ')}`);
  }
  await context.close();
});

test('the page speaks 繁體中文 to a browser that does, and switches', async () => {
  const { page, context } = await lab.openReady({ locale: 'zh-TW' });
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-Hant');
  await page.getByRole('heading', { level: 1, name: '把訓練好的網路，接成一個。' }).waitFor();
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByRole('heading', { level: 1, name: 'Join trained networks into one.' }).waitFor();
  await context.close();
});
