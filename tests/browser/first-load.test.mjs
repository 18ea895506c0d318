import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { root } from '../../scripts/paths.mjs';
import { startLab } from './harness.mjs';

const version = readFileSync(join(root, 'Cargo.toml'), 'utf8').match(/^version = "(.+)"/m)[1];

let lab;
before(async () => {
  lab = await startLab();
});
after(() => lab?.close());

test('the page loads under a sub-path without an error, and is isolated', async () => {
  const { page, problems } = await lab.open();
  await page.waitForLoadState('networkidle');
  assert.match(await page.title(), /Graftlab/);
  assert.equal(await page.evaluate(() => window.crossOriginIsolated), true);
  assert.deepEqual(problems, []);
});

for (const kind of ['cpu', 'threads', 'gpu']) {
  test(`the ${kind} artifact loads and names its version`, async () => {
    const { page, problems } = await lab.open();
    const named = await page.evaluate(async (kind) => {
      const core = await import(new URL(`./pkg/${kind}/graftlab.js`, document.baseURI).href);
      await core.default();
      return core.version();
    }, kind);
    assert.equal(named, version);
    assert.deepEqual(problems, []);
  });
}

test('the status of the artifacts is served', async () => {
  const { page } = await lab.open();
  const status = await page.evaluate(async () => (await fetch('pkg/status.json')).json());
  assert.deepEqual(status, { cpu: 'ready', decoder: 'ready', threads: 'ready', gpu: 'ready' });
});

test('the page policy refuses other origins and eval', async () => {
  const { page } = await lab.open();
  const refused = await page.evaluate(async () => {
    const outside = await fetch('https://example.invalid/').then(
      () => false,
      (error) => error instanceof TypeError,
    );
    // In a task of its own: what the driver evaluates directly is exempt from the policy.
    const code = await new Promise((done) => {
      setTimeout(() => {
        try {
          done(new Function('return false')());
        } catch (error) {
          done(error instanceof EvalError);
        }
      });
    });
    return { outside, code };
  });
  assert.deepEqual(refused, { outside: true, code: true });
});

test('every file carries the headers, and nothing outside the folder is served', async () => {
  for (const path of ['', 'pkg/cpu/graftlab.js', 'pkg/cpu/graftlab_bg.wasm', 'nowhere']) {
    const { headers } = await fetch(lab.address + path);
    assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin');
    assert.equal(headers.get('cross-origin-embedder-policy'), 'require-corp');
    assert.match(headers.get('content-security-policy'), /default-src 'none'/);
  }
  const wasm = await fetch(`${lab.address}pkg/cpu/graftlab_bg.wasm`);
  assert.equal(wasm.headers.get('content-type'), 'application/wasm');
  for (const path of ['..%2fpackage.json', '%2e%2e/%2e%2e/package.json', '..%5cpackage.json', '%00']) {
    assert.equal((await fetch(lab.address + path)).status, 404, path);
  }
});

test('WebGPU has an adapter here, so that its tests mean something', async () => {
  const { page } = await lab.open();
  const adapter = await page.evaluate(
    async () => (await navigator.gpu?.requestAdapter())?.info?.vendor ?? null,
  );
  assert.notEqual(adapter, null);
});
