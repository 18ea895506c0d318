// Chromium on the page of the benchmarks.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium as driver } from 'playwright-core';
import { gpuArguments, offline } from '../tests/browser/harness.mjs';
import { headers, policy } from './headers.mjs';
import { serve } from './serve.mjs';
import { chromium } from './tools.mjs';

/** The longest that an engine may take to start, to compute its losses, or to be timed. */
const limitSeconds = 180;

/** The other engines make workers from blobs. */
const benchHeaders = () => ({
  ...headers(),
  'Content-Security-Policy': policy()
    .replace("script-src 'self'", "script-src 'self' blob:")
    .replace("worker-src 'self'", "worker-src 'self' blob:"),
});

function within(seconds, work) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`it took more than ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Serves `folder` and starts the browser; with `gpu` on the machine's own GPU. */
export async function driveBrowser(folder, { gpu }) {
  const server = await serve({ folder, port: 0, headers: benchHeaders() });
  const args = [...gpuArguments(gpu), ...offline];
  const browser = await driver.launch({ executablePath: chromium(), args });

  /** A page of its own, with one network in one engine. */
  async function open({ library, backend, artifact }, network, batch) {
    if (artifact && !existsSync(join(folder, 'pkg', artifact)))
      throw new Error(`the ${artifact.toUpperCase()} artifact is not built: npm run build`);
    const context = await browser.newContext();
    const page = await context.newPage();
    const ask = (call, ...args) =>
      within(
        limitSeconds,
        page.evaluate(([call, args]) => globalThis.bench[call](...args), [call, args]),
      );
    try {
      await page.goto(server.address);
      await ask('open', { library, backend, network, batch });
    } catch (error) {
      await context.close();
      throw error;
    }
    return {
      losses: (workload, runs) => ask('losses', workload, runs),
      time: (workload, timing) => ask('time', workload, timing),
      dispatches: (workload) => ask('dispatches', workload),
      close: () => context.close(),
    };
  }

  async function close() {
    await browser.close();
    await server.close();
  }

  return { open, close, facts: { chromium: browser.version() } };
}
