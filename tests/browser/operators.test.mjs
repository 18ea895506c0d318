// The artifacts are built without what never runs: here every operator runs, forwards and backwards.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startLab } from './harness.mjs';
import { operatorCases, parity } from './operators.mjs';

let lab;
let page;
before(async () => {
  lab = await startLab();
  ({ page } = await lab.open());
});
after(() => lab?.close());

test('every operator computes in the CPU artifact', { timeout: 10 * 60_000 }, async () => {
  await page.evaluate(async () => {
    const core = await import(new URL('./pkg/cpu/graftlab.js', document.baseURI).href);
    await core.default();
    globalThis.session = await core.Session.create('cpu');
  });
  const cases = operatorCases();
  assert.ok(cases.length > 200, `${cases.length} cases`);
  // A trap leaves the request waiting for ever.
  const broken = new Promise((_, reject) => page.once('pageerror', reject));
  const wrong = [];
  for (const { name, bytes, feeds } of cases) {
    const answer = Promise.race([parity(page, bytes, feeds), broken]);
    const found = await answer.catch(({ message }) => message.split('\n')[0]);
    if (found.outputs !== 0 || found.gradients !== 0) wrong.push([name, found]);
  }
  assert.deepEqual(wrong, []);
});
