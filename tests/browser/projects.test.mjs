// What is kept: over a reload, as a file, and past runs.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { axeViolations, download, ready, startLab } from './harness.mjs';
import { askForLittle, file, loadSmall, runSmall } from './small-run.mjs';

let lab;
let projectFile;
before(async () => {
  lab = await startLab();
});
after(() => lab?.close());

const chip = (page) => page.locator('[popovertarget=project]');
const kept = (page) => chip(page).getByText('saved', { exact: true }).waitFor();

/** What lies in the browser's store: how many records of each kind, and how many networks. */
const storedIn = (page) =>
  page.evaluate(async () => {
    const answer = (request) =>
      new Promise((done, fail) => {
        request.onsuccess = () => done(request.result);
        request.onerror = () => fail(request.error);
      });
    const [{ name }] = await indexedDB.databases();
    const database = await answer(indexedDB.open(name));
    const stored = {};
    for (const kind of ['lab', 'entries', 'runs'])
      stored[kind] = await answer(database.transaction(kind).objectStore(kind).count());
    const networks = await answer(database.transaction('lab').objectStore('lab').get('networks'));
    database.close();
    return networks ? { ...stored, networks: networks.length } : stored;
  });

test('everything is back after a reload, and a second tab leaves it alone', async () => {
  const { page, context, problems } = await lab.openReady();
  await loadSmall(page);
  await askForLittle(page);
  await runSmall(page);
  const report = JSON.parse(await download(page, 'run.json'));
  await kept(page);

  const second = await context.newPage();
  await second.goto(lab.address);
  await chip(second).getByText('not saved here').waitFor();
  assert.equal(await second.locator('.network').count(), 0);
  await second.close();

  await page.reload();
  await page.locator('.network').nth(1).waitFor();
  await page.locator('#data .total').getByText('80 images').waitFor();
  assert.equal(Number(await page.locator('#budget').inputValue()), 0.9);
  await page.locator('#results').waitFor();
  assert.deepEqual(JSON.parse(await download(page, 'run.json')), report);
  assert.equal(await page.locator('#results').getByText('have changed since').count(), 0);
  await page.getByRole('button', { name: 'Compare image by image' }).click();
  await page.getByRole('application', { name: /^Confusion matrix/ }).waitFor();

  await chip(page).click();
  await page.getByText('Your last project is back.').waitFor();
  assert.deepEqual(await axeViolations(page), []);
  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save project' }).click(),
  ]);
  assert.equal(saved.suggestedFilename(), 'shade-parity.graftlab.zip');
  projectFile = await readFile(await saved.path());
  assert.deepEqual(problems, []);
  await context.close();
});

test('a project that does not come back stays kept, whatever is set meanwhile', async () => {
  const { page, context } = await lab.openReady({ serviceWorkers: 'block' });
  await loadSmall(page);
  await kept(page);
  await context.route(/pkg\/.*\.wasm$/, (route) => route.abort());
  await page.clock.install();
  await page.reload();
  await page.locator('#networks .problem').waitFor();
  await kept(page);
  await page.locator('#budget').fill('0.8');
  await page.clock.runFor(2000);
  assert.equal((await storedIn(page)).networks, 2);

  await context.unroute(/pkg\/.*\.wasm$/);
  await page.reload();
  await page.locator('.network').nth(1).waitFor();
  await context.close();
});

test('a core that breaks is started again with everything that was loaded', async () => {
  const { page, context } = await lab.openReady();
  await loadSmall(page);
  await askForLittle(page);
  await page.workers()[0].evaluate(() => {
    setTimeout(() => {
      throw new Error('unreachable executed');
    });
  });
  await page.getByText('The compute core broke and was started again.').waitFor();
  assert.deepEqual(await axeViolations(page), []);
  await runSmall(page);
  assert.equal(await page.locator('.network').count(), 2);
  await context.close();
});

test('a project file opens with its run, without computing it again', async () => {
  const { page, context, problems } = await lab.openReady();
  await page
    .locator('#networks input[type=file]')
    .first()
    .setInputFiles(file('networks.onnx', Buffer.from('nothing')));
  await page.locator('#data input[type=file]').first().setInputFiles(file('mine.zip', projectFile));
  await page.locator('.network').nth(1).waitFor();
  await page.locator('#results').waitFor();
  assert.ok((await download(page, 'merged.onnx')).length > 500);
  assert.equal(await page.locator('#run .pareto').count(), 1);
  assert.deepEqual(problems, []);
  await context.close();
});

test('what is no project is said so, and what is loaded stays', async () => {
  const { page, context } = await lab.openReady();
  await loadSmall(page);
  await chip(page).click();
  await page
    .locator('#project input[type=file]')
    .setInputFiles(file('broken.graftlab.zip', projectFile.subarray(0, 900)));
  await page.getByText('This is no Graftlab project').waitFor();
  assert.equal(await page.locator('.network').count(), 2);
  await context.close();
});

test('two runs stand side by side, and one can be opened again or deleted', async () => {
  const { page, context, problems } = await lab.openReady();
  await loadSmall(page);
  await askForLittle(page);
  await runSmall(page);
  await page.getByRole('spinbutton', { name: 'Temperature', exact: true }).fill('2');
  await page.locator('#start').click();
  await page.locator('#runs tbody tr').nth(1).waitFor({ timeout: 120_000 });
  for (const box of await page.locator('#runs').getByRole('checkbox').all()) await box.check();
  const two = page.locator('#runs .two');
  const row = two.getByRole('row').filter({ hasText: 'train.temperature' });
  assert.deepEqual(await row.getByRole('cell').allTextContents(), ['4', '2']);
  assert.deepEqual(await axeViolations(page), []);

  await page.locator('#runs').getByRole('button', { name: /^Open/ }).click();
  assert.equal(JSON.parse(await download(page, 'run.json')).settings.train.temperature, 4);
  await page
    .locator('#runs')
    .getByRole('button', { name: /^Delete/ })
    .first()
    .click();
  await page.locator('#runs tbody tr').nth(1).waitFor({ state: 'detached' });
  assert.equal(await page.locator('#runs tbody tr').count(), 1);
  await kept(page);
  await page.reload();
  await page.locator('#runs tbody tr').first().waitFor();
  assert.equal(await page.locator('#runs tbody tr').count(), 1);
  assert.deepEqual(problems, []);
  await context.close();
});

test('what is forgotten stays forgotten, whatever is done afterwards', async () => {
  const { page, context, problems } = await lab.openReady();
  await loadSmall(page);
  await askForLittle(page);
  await runSmall(page);
  await kept(page);
  await page.clock.install();
  await page.locator('#budget').fill('0.8');
  await chip(page).click();
  await page.getByRole('button', { name: 'Forget everything' }).click();
  await page.getByRole('button', { name: 'Yes, forget it' }).click();
  await chip(page).getByText('forgotten').waitFor();
  assert.deepEqual(await axeViolations(page), []);
  await page.locator('#budget').fill('0.9');
  await page.clock.runFor(2000);
  assert.deepEqual(await storedIn(page), { lab: 0, entries: 0, runs: 0 });

  await page.reload();
  await kept(page);
  assert.equal(await page.locator('.network').count(), 0);
  assert.equal(await page.locator('#runs').count(), 0);
  assert.deepEqual(problems, []);
  await context.close();
});

test('a browser that keeps nothing says so, and the lab works', async () => {
  const { page, context } = await lab.open({ locale: 'en-GB' });
  await page.addInitScript(() => {
    Object.defineProperty(globalThis, 'indexedDB', {
      value: {
        open: () => {
          throw new DOMException('refused', 'SecurityError');
        },
      },
    });
  });
  await page.reload();
  await ready(page);
  await chip(page).getByText('not saved').waitFor();
  await loadSmall(page);
  await page.getByRole('button', { name: 'Run', exact: true }).and(page.locator(':enabled')).waitFor();
  await context.close();
});
