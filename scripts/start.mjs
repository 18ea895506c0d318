// `npm start`: sets up, builds, serves the lab. What no page does without first; the others follow in the background.
// With `--dev`, Vite's dev server shows changes of the page at once.
import { join } from 'node:path';
import { addArtifact, buildPage, writeStatus } from './build.mjs';
import { main, say } from './log.mjs';
import { root } from './paths.mjs';
import { serve } from './serve.mjs';
import { writeServiceWorker } from './service-worker.mjs';
import { setUp } from './setup.mjs';
import { artifactKinds, buildWasm, firstArtifacts } from './wasm.mjs';

const later = artifactKinds.filter((kind) => !firstArtifacts.includes(kind));
const status = Object.fromEntries(
  artifactKinds.map((kind) => [kind, later.includes(kind) ? 'building' : 'ready']),
);

async function startDev() {
  const { createServer } = await import('vite');
  writeStatus(status);
  // Not the built lab's port: its service worker would answer here as well.
  const server = await createServer({ configFile: join(root, 'vite.config.ts'), server: { port: 5174 } });
  await server.listen();
  return server.resolvedUrls.local[0];
}

async function startBuilt() {
  await buildPage();
  firstArtifacts.forEach(addArtifact);
  writeStatus(status);
  writeServiceWorker();
  return (await serve()).address;
}

async function addLater(kind, dev) {
  try {
    await buildWasm(kind);
    if (!dev) {
      addArtifact(kind);
      // Its version tells what is stored in browsers from what is new.
      writeServiceWorker();
    }
    status[kind] = 'ready';
    say(`The ${kind} artifact is ready: reload the page to use it.`);
  } catch (error) {
    status[kind] = 'failed';
    say(`The lab does without the ${kind} artifact, which could not be built.\n${error.message}`);
  }
  writeStatus(status);
}

await main(async () => {
  const dev = process.argv.includes('--dev');
  await setUp('build');
  for (const kind of firstArtifacts) await buildWasm(kind);
  const address = dev ? await startDev() : await startBuilt();
  say(`\nThe lab is at ${address}  (Ctrl-C ends it)\n`);
  for (const kind of later) await addLater(kind, dev);
});
