// Builds the WebAssembly artifacts: the core as `cpu` (runs everywhere), `threads` (the same with threads and fused
// multiply-add, for browsers that have them) and `gpu` (with WebGPU); and `decoder`, which decodes images for each of them.
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { claimTarget } from './claim.mjs';
import { Problem, step } from './log.mjs';
import { artifacts, pkg, root, tools, wasmTarget } from './paths.mjs';
import { logFile, run } from './run.mjs';
import { wasmCompiler, wasmEnv, wasmRoute } from './wasm-target.mjs';

const core = { crate: root, name: 'graftlab', features: [], profile: 'wasm' };
const kinds = {
  cpu: { ...core, title: 'CPU', terse: true, minutes: 4 },
  decoder: {
    crate: join(root, 'src', 'decoder'),
    name: 'decoder',
    features: [],
    profile: 'wasm',
    terse: true,
    title: 'image decoder',
    minutes: 1,
  },
  threads: { ...core, title: 'threads', threads: true, minutes: 4 },
  gpu: { ...core, title: 'GPU', features: ['--features', 'gpu'], profile: 'wasm-gpu', minutes: 10 },
};

const small = join(root, 'scripts', 'small');

/** In the order in which they are wanted. */
export const artifactKinds = Object.keys(kinds);
/** What no page does without. */
export const firstArtifacts = ['cpu', 'decoder'];

// Kept in the cache per kind; a GPU artifact is 12 MB.
const keep = 4;

function sourceFiles(kind) {
  const inSource = (names) => names.map((name) => join(root, 'src', name));
  const folders = kind === 'decoder' ? inSource(['decoder', 'images']) : [join(root, 'src')];
  const others = kind === 'decoder' ? [] : inSource(['main.rs', 'cli', 'decoder']);
  const walk = (file) => {
    if (others.includes(file)) return [];
    return statSync(file).isDirectory()
      ? readdirSync(file).flatMap((name) => walk(join(file, name)))
      : [file];
  };
  const sources = folders.flatMap(walk).sort();
  const included = sources.filter((file) => file.endsWith('.rs')).flatMap(includedFiles);
  return [join(root, 'Cargo.toml'), join(root, 'Cargo.lock'), ...sources, ...included];
}

/** Files that a source embeds by `include_bytes!` or `include_str!`. */
function includedFiles(source) {
  const calls = readFileSync(source, 'utf8').matchAll(/include_(?:bytes|str)!\(\s*"([^"]+)"/g);
  return [...calls].map((call) => resolve(dirname(source), call[1])).filter((file) => existsSync(file));
}

function cacheKey(kind, route) {
  const hash = createHash('sha256');
  const { PATH: _, ...env } = wasmEnv(route, '', kinds[kind]);
  hash.update(JSON.stringify([kinds[kind].features, env, wasmCompiler(route)]));
  for (const name of readdirSync(small).sort()) hash.update(readFileSync(join(small, name)));
  for (const file of sourceFiles(kind))
    hash.update(`\n${file.slice(root.length)}\n`).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

/** Fills `folder` by `make(temporary folder)`, so that it is either whole or absent. */
async function whole(folder, make) {
  if (existsSync(folder)) return;
  const part = `${folder}.part-${process.pid}`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  await make(part);
  if (existsSync(folder)) rmSync(part, { recursive: true });
  else renameSync(part, folder);
}

async function compile(kind, route, folder) {
  const { crate, name, features, profile } = kinds[kind];
  const args = [
    'build',
    crate,
    '--target',
    'web',
    '--profile',
    profile,
    '--no-opt',
    '--no-pack',
    '--out-name',
    name,
  ];
  claimTarget(wasmTarget);
  // Only rustup's route passes wasm-pack's check for the target.
  if (route === 'debian') args.push('--mode', 'force');
  await run(join(tools, 'bin', 'wasm-pack'), [...args, '--out-dir', folder, '--', ...features], {
    log: `wasm-${kind}`,
    env: { ...wasmEnv(route, join(tools, 'bin'), kinds[kind]), CARGO_TARGET_DIR: wasmTarget },
  });
  rmSync(join(folder, '.gitignore'), { force: true });
  cpSync(logFile(`wasm-${kind}`), join(folder, 'build.log'));
}

async function makeSmall(kind, folder) {
  const file = join(folder, `${kinds[kind].name}_bg.wasm`);
  await run(process.execPath, [join(small, 'index.mjs'), file, ...wasmFeatures(kinds[kind])], {
    log: `wasm-small-${kind}`,
    hint: 'Binaryen comes with the npm packages.',
  });
}

/** What rustc's wasm32 target uses, and what the artifact asks for, as Binaryen calls it. */
const wasmFeatures = ({ threads }) => [
  'SIMD128',
  ...(threads ? ['RelaxedSIMD', 'Atomics'] : []),
  'BulkMemory',
  'BulkMemoryOpt',
  'NontrappingFPToInt',
  'SignExt',
  'MutableGlobals',
  'ReferenceTypes',
  'CallIndirectOverlong',
  'Multivalue',
];

/** Removes what is oldest in the cache, and what a build that was ended has left there. */
function prune(kind) {
  const age = (name) => Date.now() - statSync(join(artifacts, name)).mtimeMs;
  const names = readdirSync(artifacts).filter((name) => name.startsWith(`${kind}-`));
  const whole = names.filter((name) => !name.includes('.part-')).sort((a, b) => age(a) - age(b));
  const left = names.filter((name) => name.includes('.part-') && age(name) > 24 * 3600 * 1000);
  for (const name of [...whole.slice(keep), ...left])
    rmSync(join(artifacts, name), { recursive: true, force: true });
}

/** Builds one artifact (or takes it from the cache) and puts it into `pkg/<kind>`. */
export async function buildWasm(kind) {
  const { title, minutes } = kinds[kind];
  const route = wasmRoute();
  if (!route) throw new Problem('The WebAssembly target is missing.', 'Run: npm run setup');
  const built = join(artifacts, `${kind}-${cacheKey(kind, route)}`);
  if (!existsSync(built)) {
    const estimate = existsSync(wasmTarget) ? minutes / 4 : (minutes * 2) / Math.min(cpus().length, 8);
    await step(`Building the ${title} artifact`, estimate, () =>
      whole(built, async (folder) => {
        await compile(kind, route, folder);
        await makeSmall(kind, folder);
      }),
    );
  }
  utimesSync(built, new Date(), new Date());
  prune(kind);
  const out = join(pkg, kind);
  rmSync(out, { recursive: true, force: true });
  cpSync(built, out, { recursive: true, filter: (file) => !file.endsWith('build.log') });
  return { folder: out, warnings: warnings(join(built, 'build.log')) };
}

/** The compiler's warnings about this crate's own code, from the log of the build. */
function warnings(log) {
  const text = readFileSync(log, 'utf8');
  return text.match(/^warning: .*\n +--> src\/.*/gm)?.join('\n') ?? null;
}
