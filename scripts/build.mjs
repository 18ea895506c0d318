// Writes `dist/`: the page, the artifacts, the models. Static; works under any sub-path.
import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { headersFile } from './headers.mjs';
import { duration, main, say, step } from './log.mjs';
import { dist, pkg, root } from './paths.mjs';
import { run } from './run.mjs';
import { writeServiceWorker } from './service-worker.mjs';
import { setUp } from './setup.mjs';
import { artifactKinds, buildWasm } from './wasm.mjs';

/** Bundles the page into `dist/` and adds the models; the artifacts are added by `addArtifact`. */
export const buildPage = () =>
  step('Building the page', 0.1, async () => {
    const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
    await run(process.execPath, [vite, 'build', '--logLevel', 'warn'], {
      log: 'vite',
      env: { NODE_ENV: 'production' },
    });
    const models = join(root, 'models');
    const visible = (file) => !basename(file).startsWith('.');
    if (existsSync(models)) cpSync(models, join(dist, 'models'), { recursive: true, filter: visible });
    writeFileSync(join(dist, '_headers'), headersFile());
  });

/** Copies `pkg/<kind>` into `dist/`. */
export function addArtifact(kind) {
  const to = join(dist, 'pkg', kind);
  rmSync(to, { recursive: true, force: true });
  cpSync(join(pkg, kind), to, { recursive: true });
}

/** Tells the page which artifacts are there: `ready`, `building` or `failed`. */
export function writeStatus(status) {
  for (const folder of [pkg, join(dist, 'pkg')]) {
    if (existsSync(folder)) writeFileSync(join(folder, 'status.json'), `${JSON.stringify(status)}\n`);
  }
}

/** The whole `dist/`, or with some of the artifacts. */
export async function buildAll(kinds = artifactKinds) {
  for (const kind of kinds) await buildWasm(kind);
  await buildPage();
  kinds.forEach(addArtifact);
  writeStatus(Object.fromEntries(kinds.map((kind) => [kind, 'ready'])));
  writeServiceWorker();
}

async function command() {
  const started = Date.now();
  await setUp('build');
  await buildAll();
  say(
    `\ndist/ is ready, after ${duration(Date.now() - started)}. Any static host can serve it; docs/hosting.md says which headers help.`,
  );
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main(command);
