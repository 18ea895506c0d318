// What machines do to a run: a GPU that is lost or computes nothing, memory that ends, a tab that is frozen. The run goes on, or the
// page says what happened, and nothing that was loaded is lost.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startLab } from './harness.mjs';
import { askForLittle, loadSmall } from './small-run.mjs';

const slow = { timeout: 10 * 60_000 };
const long = { timeout: 2 * 60_000 };

let lab;
before(async () => {
  lab = await startLab();
});
after(() => lab?.close());

/** Opens a page whose workers run `patch` before anything else. */
async function openPatched(patch = () => {}) {
  const opened = await lab.open({ locale: 'en-GB', reducedMotion: 'reduce', serviceWorkers: 'block' });
  await opened.page.route(/assets\/worker-[^/]*\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `(${patch})();\n${await response.text()}` });
  });
  await opened.page.reload();
  // What the first load had not ended.
  opened.problems.length = 0;
  return opened;
}

async function choose(page, backend) {
  await page.locator('[popovertarget=backend]').click();
  await page.locator('#backend').getByRole('radio', { name: backend }).check();
  await page.locator('#backend').getByText('You chose it.').waitFor(long);
  await page.keyboard.press('Escape');
}

/** Lets the GPU's worker do `harm` while it trains. */
async function duringTraining(harm) {
  const opened = await openPatched(() => {
    const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...args) {
      globalThis.gpuDevice = await request.apply(this, args);
      return globalThis.gpuDevice;
    };
  });
  const { page } = opened;
  await choose(page, 'WebGPU');
  await loadSmall(page);
  await askForLittle(page);
  await page.getByRole('spinbutton', { name: 'Images', exact: true }).fill('3200');
  await page.locator('#start').click();
  await page.getByRole('status').getByText('Phase 4 of 6').waitFor(long);
  await page.workers()[0].evaluate(harm);
  return opened;
}

/** Everything is still loaded, and a run comes to its end. */
async function worksAgain(page) {
  assert.equal(await page.locator('.network').count(), 2);
  await page.getByRole('spinbutton', { name: 'Images', exact: true }).fill('320');
  await page.locator('#start:not(:disabled)').click(long);
  await page.locator('#results').waitFor(long);
}

test('a GPU that is lost is asked for anew', slow, async () => {
  const { page, context } = await duringTraining(() => globalThis.gpuDevice.destroy());
  await page.getByText('The compute core broke and was started again.').waitFor(long);
  await worksAgain(page);
  await context.close();
});

test('a GPU that no longer computes what the CPU computes is found out', slow, async () => {
  const { page, context } = await duringTraining(() => {
    GPUComputePassEncoder.prototype.dispatchWorkgroups = () => {};
  });
  await page.getByText('differ from those of the CPU').first().waitFor(long);
  await page.locator('[popovertarget=backend]').getByText('CPU').waitFor(long);
  await page.locator('[popovertarget=backend]').click();
  await page.locator('#backend').getByText('WebGPU broke while it worked.').waitFor();
  await page.keyboard.press('Escape');
  await worksAgain(page);
  await context.close();
});

test('an adapter without timestamps is passed over', slow, async () => {
  const { page, context } = await openPatched(() => {
    const request = navigator.gpu.requestAdapter.bind(navigator.gpu);
    navigator.gpu.requestAdapter = async (options) => {
      const adapter = await request(options);
      Object.defineProperty(adapter, 'features', { value: new Set() });
      return adapter;
    };
  });
  await page.locator('[popovertarget=backend]').click();
  await page.locator('#backend').getByText('The WebGPU adapter has no timestamps').waitFor(long);
  await context.close();
});

test('too little memory for what is asked ends the run, not the session', slow, async () => {
  const { page, context } = await openPatched();
  await loadSmall(page);
  await askForLittle(page);
  await page.getByRole('spinbutton', { name: 'Batch size' }).fill('4000000');
  await page.locator('#start').click();
  await page.getByText('The compute core broke and was started again.').waitFor(long);
  await page.getByRole('spinbutton', { name: 'Batch size' }).fill('16');
  await worksAgain(page);
  await context.close();
});

test('a tab that is frozen and thawed goes on', slow, async () => {
  const { page, context, problems } = await openPatched();
  await loadSmall(page);
  await askForLittle(page);
  await page.getByRole('spinbutton', { name: 'Images', exact: true }).fill('16000');
  await page.locator('#start').click();
  await page.getByRole('status').getByText('Phase 4 of 6').waitFor(long);
  const session = await context.newCDPSession(page);
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  await page.locator('#results').waitFor(long);
  assert.deepEqual(problems, []);
  await context.close();
});

test('a browser whose storage is full says so, and the run ends well', slow, async () => {
  const { page, context } = await lab.open({ locale: 'en-GB', reducedMotion: 'reduce' });
  await page.addInitScript(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
  });
  await page.reload();
  await loadSmall(page);
  await page.locator('[popovertarget=project]').getByText('not saved').waitFor();
  await askForLittle(page);
  await page.locator('#start').click();
  await page.locator('#results').waitFor(long);
  await context.close();
});
