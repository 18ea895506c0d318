// Serves `dist/` and drives Chromium on it. `npm test -- browser` builds first; by hand: `npm run build`, then
// `node --test tests/browser/NAME.test.mjs`.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import AxeModule from '@axe-core/playwright';
import { chromium as driver } from 'playwright-core';
import { dist } from '../../scripts/paths.mjs';
import { serve } from '../../scripts/serve.mjs';
import { chromium } from '../../scripts/tools.mjs';

const AxeBuilder = AxeModule.default ?? AxeModule;

/** WebGPU without a GPU: correct, slow, the same on every machine. */
const softwareGpu = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/** The machine's own GPU, also where Linux has no display. */
const ownGpu = [
  '--enable-unsafe-webgpu',
  '--ignore-gpu-blocklist',
  ...(process.platform === 'linux'
    ? [
        '--enable-features=Vulkan,VulkanFromANGLE,DefaultANGLEVulkan',
        '--use-angle=vulkan',
        '--disable-vulkan-surface',
      ]
    : []),
];

export const gpuArguments = (own) => (own ? ownGpu : softwareGpu);

/** Keeps the browser off the network. */
export const offline = [
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

// A fault can repeat without end, and carry whole shaders.
const mostProblems = 30;
const longestProblem = 1500;

/**
 * Starts the server and the browser. The lab lies under a sub-path, as on many hosts.
 * `open()` gives a fresh page; its `problems` holds console errors, uncaught errors, failed requests and requests
 * to anywhere else, each cut to a readable length. `openReady()` gives one in English whose core is up. Other options
 * go to the server; `args` to the browser, which has a software adapter but with `gpu`.
 */
export async function startLab({
  base = '/some/sub-path/',
  folder = dist,
  args = [],
  gpu = false,
  ...serving
} = {}) {
  if (!existsSync(join(dist, 'index.html'))) throw new Error('dist/ is not there. Run: npm run build');
  const executablePath = chromium();
  if (!executablePath) throw new Error('Chromium is not there. Run: npm run setup browser');
  const server = await serve({ folder, base, port: 0, ...serving });
  const browser = await driver.launch({ executablePath, args: [...gpuArguments(gpu), ...offline, ...args] });

  async function open({ path = '', ...contextOptions } = {}) {
    const context = await browser.newContext({ acceptDownloads: true, ...contextOptions });
    const page = await context.newPage();
    const problems = collectProblems(page, new URL(server.address).origin);
    await page.goto(server.address + path);
    return { page, context, problems };
  }

  async function openReady(options) {
    const opened = await open({ locale: 'en-GB', reducedMotion: 'reduce', ...options });
    await ready(opened.page);
    return opened;
  }

  async function close() {
    await browser.close();
    await server.close();
  }

  return { address: server.address, browser, server, open, openReady, close };
}

/** Waits until a backend has been chosen and is up. */
export const ready = (page) =>
  page.locator('[popovertarget=backend] .light.ready').waitFor({ timeout: 60_000 });

/** Chooses where is computed, `CPU` or `WebGPU`, and waits until it is up. */
export async function chooseBackend(page, name) {
  await page.locator('[popovertarget=backend]').click();
  await page.locator('#backend').getByRole('radio', { name }).check();
  await page.keyboard.press('Escape');
  await ready(page);
}

/** What axe finds wrong with the page as it is: rules and places. */
export async function axeViolations(page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
  );
}

/** The bytes behind a download link of the results. */
export async function download(page, name) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()]);
  if (file.suggestedFilename() !== name) throw new Error(`${name} is saved as ${file.suggestedFilename()}`);
  return readFile(await file.path());
}

function collectProblems(page, origin) {
  const problems = [];
  const note = (kind, text) => {
    if (problems.length < mostProblems) problems.push(`${kind}: ${text.slice(0, longestProblem)}`);
  };
  page.on('console', (message) => message.type() === 'error' && note('console', message.text()));
  page.on('pageerror', (error) => note('uncaught', String(error.stack ?? error)));
  page.on('requestfailed', (request) => note('failed', `${request.url()} ${request.failure()?.errorText}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!/^(data|blob):/.test(url) && new URL(url).origin !== origin) note('left this machine', url);
  });
  page.on('worker', (worker) =>
    worker.on('console', (m) => m.type() === 'error' && note('worker', m.text())),
  );
  return problems;
}
