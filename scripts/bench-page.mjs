// Builds the page of the benchmarks: its modules, the core's artifacts, the networks. It is no part of `dist/`.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { step } from './log.mjs';
import { pkg, root } from './paths.mjs';
import { buildWasm } from './wasm.mjs';

/** Fills `folder`. The GPU artifact, which takes long to build, is in it only where one was built before. */
export async function buildBenchPage(folder, networks, artifacts) {
  const kinds = artifacts.filter((kind) => kind !== 'gpu' || existsSync(join(pkg, kind)));
  for (const kind of kinds) await buildWasm(kind);
  await step('Building the page of the benchmarks', 0.3, async () => {
    rmSync(folder, { recursive: true, force: true });
    const { build } = await import('vite');
    await build({
      configFile: false,
      root: join(root, 'benches', 'browser'),
      base: './',
      logLevel: 'error',
      worker: { format: 'es' },
      // TensorFlow.js hands the source text of its functions to workers, where a shortened name is unknown.
      build: { outDir: folder, emptyOutDir: true, target: 'es2023', minify: false },
    });
    for (const kind of kinds) cpSync(join(pkg, kind), join(folder, 'pkg', kind), { recursive: true });
    mkdirSync(join(folder, 'networks'));
    for (const { name, file } of networks) cpSync(file, join(folder, 'networks', `${name}.onnx`));
    const tensorflow = join(root, 'node_modules', '@tensorflow', 'tfjs-backend-wasm', 'dist');
    mkdirSync(join(folder, 'tensorflow'));
    for (const name of readdirSync(tensorflow).filter((name) => name.endsWith('.wasm')))
      cpSync(join(tensorflow, name), join(folder, 'tensorflow', name));
  });
}
