// A run that was broken off goes on, to the result of one that never was.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { axeViolations, download, startLab } from './harness.mjs';
import { askForLittle, loadSmall } from './small-run.mjs';

let lab;
/** The network and the curve of an undisturbed run. */
let whole;
before(async () => {
  lab = await startLab();
});
after(() => lab?.close());

const finished = { timeout: 240_000 };

async function openLoaded() {
  const opened = await lab.openReady();
  await loadSmall(opened.page);
  await askForLittle(opened.page);
  await opened.page.getByRole('spinbutton', { name: 'Images', exact: true }).fill('16000');
  return opened;
}

async function resultOf(page) {
  await page.locator('#results').waitFor(finished);
  const { curve } = JSON.parse(await download(page, 'run.json'));
  return { network: await download(page, 'merged.onnx'), curve };
}

/** From training on the worker rests after each step, so that no run ends before it is broken off. */
const slowDown = (page) =>
  page.workers()[0].evaluate(() => {
    const { postMessage, setTimeout } = globalThis;
    globalThis.postMessage = (message, ...rest) => {
      const { kind, phase } = message.event ?? {};
      if (kind === 'phase_started' && phase === 'distil')
        globalThis.setTimeout = (work) => setTimeout(work, 100);
      postMessage(message, ...rest);
    };
    globalThis.speedUp = () => Object.assign(globalThis, { postMessage, setTimeout });
  });

async function runToTraining(page) {
  await slowDown(page);
  await page.locator('#start').click();
  await page.getByRole('status').getByText('Phase 4 of 6').waitFor(finished);
}

/** Starts a run and waits until a checkpoint of its training is kept. */
async function runToCheckpoint(page) {
  await runToTraining(page);
  await page.evaluate(() => dispatchEvent(new Event('pagehide')));
  await checkpointIsKept(page);
}

const checkpointIsKept = (page) =>
  page.evaluate(async () => {
    const answer = (request) => new Promise((done) => (request.onsuccess = () => done(request.result)));
    const [{ name }] = await indexedDB.databases();
    const database = await answer(indexedDB.open(name));
    const kept = () => answer(database.transaction('lab').objectStore('lab').get('checkpoint'));
    while ((await kept())?.phase !== 'distil') await new Promise(requestAnimationFrame);
    database.close();
  });

const goOn = (page) => page.getByRole('button', { name: 'Continue the run that was broken off' });

test('after a reload, to the same network', async () => {
  const { page, context, problems } = await openLoaded();
  await page.locator('#start').click();
  whole = await resultOf(page);
  await runToCheckpoint(page);
  await page.reload();

  await page.getByText(/^A run was broken off.*“Distil, \d+.%”/).waitFor();
  await goOn(page).and(page.locator(':enabled')).waitFor();
  assert.deepEqual(await axeViolations(page), []);
  // What is chosen on the page meanwhile is for the next run.
  await page.locator('#budget').fill('0.6');
  await goOn(page).focus();
  await page.keyboard.press('Enter');
  await page.locator('#runs tbody tr').nth(1).waitFor(finished);
  assert.deepEqual(await resultOf(page), whole);
  assert.equal(await goOn(page).count(), 0);

  await page.reload();
  await page.locator('#results').waitFor();
  assert.equal(await page.locator('#runs tbody tr').count(), 2);
  assert.equal(await goOn(page).count(), 0);
  assert.deepEqual(problems, []);
  await context.close();
});

test('after a rest, too', async () => {
  const { page, context, problems } = await openLoaded();
  await runToTraining(page);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('status').getByText('Paused in phase 4 of 6: Distil').waitFor();
  // It could be gone on with after the page is closed.
  await checkpointIsKept(page);
  assert.deepEqual(await axeViolations(page), []);
  const told = await page.locator('#run .details').textContent();
  for (let turn = 0; turn < 5; turn++)
    await page.workers()[0].evaluate(() => new Promise((done) => setTimeout(done)));
  assert.equal(await page.locator('#run .details').textContent(), told);

  await page.workers()[0].evaluate(() => globalThis.speedUp());
  await page.getByRole('button', { name: 'Go on' }).click();
  assert.deepEqual(await resultOf(page), whole);
  assert.deepEqual(problems, []);
  await context.close();
});

test('after the core has broken, also with its curve', async () => {
  const { page, context } = await openLoaded();
  await runToCheckpoint(page);
  await page.workers()[0].evaluate(() => {
    setTimeout(() => {
      throw new Error('unreachable executed');
    });
  });
  await page.getByText('The compute core broke and was started again.').waitFor();
  await goOn(page).and(page.locator(':enabled')).click();
  assert.deepEqual(await resultOf(page), whole);
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save “Loss” as CSV' }).click(),
  ]);
  const [, ...rows] = (await readFile(await file.path(), 'utf8')).trim().split('\r\n');
  const steps = rows.map((row) => Number(row.split(',')[0]));
  assert.deepEqual(
    steps,
    steps.map((_, index) => 8 * (index + 1)),
  );
  await context.close();
});

test('or is let go of, for good; other networks make it wait', async () => {
  const { page, context, problems } = await openLoaded();
  await runToCheckpoint(page);
  await page.reload();
  await page.locator('.network').nth(1).waitFor();
  await page.getByRole('button', { name: 'Remove parity' }).click();
  await page.getByText('It was started with other networks or images.').waitFor();
  assert.equal(await goOn(page).isDisabled(), true);
  await page.getByRole('button', { name: 'Discard it' }).click();
  assert.equal(await goOn(page).count(), 0);
  await page.locator('[popovertarget=project]').getByText('saved', { exact: true }).waitFor();
  await page.reload();
  await page.locator('.network').first().waitFor();
  await page.locator('[popovertarget=project]').getByText('saved', { exact: true }).waitFor();
  assert.equal(await goOn(page).count(), 0);
  assert.deepEqual(problems, []);
  await context.close();
});
