// `npm start`: sets up, builds, serves the lab. The CPU artifact first; the GPU one follows in the background.
// With `--dev`, Vite's dev server shows changes of the page at once.
import { join } from 'node:path';
import { addArtifact, buildPage, writeStatus } from './build.mjs';
import { main, say } from './log.mjs';
import { root } from './paths.mjs';
import { serve } from './serve.mjs';
import { writeServiceWorker } from './service-worker.mjs';
import { setUp } from './setup.mjs';
import { buildWasm } from './wasm.mjs';

async function startDev() {
  const { createServer } = await import('vite');
  writeStatus({ cpu: 'ready', gpu: 'building' });
  // Not the built lab's port: its service worker would answer here as well.
  const server = await createServer({ configFile: join(root, 'vite.config.ts'), server: { port: 5174 } });
  await server.listen();
  return server.resolvedUrls.local[0];
}

async function startBuilt() {
  await buildPage();
  addArtifact('cpu');
  writeStatus({ cpu: 'ready', gpu: 'building' });
  writeServiceWorker();
  return (await serve()).address;
}

async function addGpu(dev) {
  try {
    await buildWasm('gpu', { optimised: 'if-cached' });
    if (!dev) {
      addArtifact('gpu');
      // Its version tells what is stored in browsers from what is new.
      writeServiceWorker();
    }
    writeStatus({ cpu: 'ready', gpu: 'ready' });
    say('The GPU artifact is ready.');
  } catch (error) {
    writeStatus({ cpu: 'ready', gpu: 'failed' });
    say(`The lab stays on the CPU: the GPU artifact could not be built.\n${error.message}`);
  }
}

await main(async () => {
  const dev = process.argv.includes('--dev');
  await setUp('build');
  await buildWasm('cpu');
  const address = dev ? await startDev() : await startBuilt();
  say(`\nThe lab is at ${address}  (Ctrl-C ends it)\n`);
  await addGpu(dev);
});
