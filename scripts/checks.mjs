// The list of checks that `npm test` runs.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildAll } from './build.mjs';
import { Problem } from './log.mjs';
import { nativeTarget, root, tools, wasmTarget } from './paths.mjs';
import { attempt, logFile } from './run.mjs';
import { runners } from './runners.mjs';
import { python } from './tools.mjs';
import { buildWasm } from './wasm.mjs';
import { target, wasmEnv, wasmRoute } from './wasm-target.mjs';

const bin = (...path) => join(root, 'node_modules', ...path);
const program = join(nativeTarget, 'release', 'graftlab');
const cargoEnv = { CARGO_TARGET_DIR: nativeTarget, CARGO_TERM_COLOR: 'never' };

const clippy = ['clippy', '--release'];
const strict = ['--', '-D', 'warnings'];
// Style is the native check's matter: the compiler for the browser may be a newer one, with more opinions.
const faults = [
  '--',
  ...['correctness', 'suspicious', 'disallowed_methods'].flatMap((lint) => ['-D', `clippy::${lint}`]),
];

/** A check that runs one program. Without a runner of tests it counts as one; a failure always counts as at least one. */
const command = (group, title, minutes, log, [file, ...args], { env = () => ({}), runner } = {}) => ({
  group,
  title,
  minutes,
  log,
  faults: runner?.faults,
  work: async () => {
    const code = await attempt(file, args, { log, env: { NO_COLOR: '1', ...env() }, seconds: 3600 });
    const [passed, failed] = runner
      ? runner.counts(readFileSync(logFile(log), 'utf8'))
      : [code === 0 ? 1 : 0, 0];
    return { passed, failed: code === 0 ? failed : Math.max(failed, 1) };
  },
});

const cargo = (title, minutes, log, args, options) =>
  command('rust', title, minutes, log, ['cargo', ...args], { env: () => cargoEnv, ...options });

/** The browser and the Python checks compare with the command line. */
const commandLine = (group) => ({
  ...cargo('Command line builds', 3, `rust-build-${group}`, ['build', '--release']),
  group,
});

/** A check that an artifact builds, without a warning of the compiler about this crate. */
const artifact = (kind, title) => {
  let warnings;
  return {
    group: 'wasm',
    title,
    minutes: 0,
    before: async () => {
      ({ warnings } = await buildWasm(kind));
    },
    work: async () => {
      if (warnings) throw new Problem(warnings);
      return { passed: 1, failed: 0 };
    },
  };
};

// The web and browser groups need artifacts also when the wasm group isn't asked for; the cache makes this free.
const needing = (before, check) => ({ ...check, before });

const browserTests = readdirSync(join(root, 'tests', 'browser'))
  .filter((name) => name.endsWith('.test.mjs'))
  .map((name) => join('tests', 'browser', name));

export const checks = [
  cargo('Rust format', 0, 'rust-format', ['fmt', '--all', '--check']),
  // In release mode, so that proc macros and build scripts are compiled once for everything.
  cargo('Clippy', 2, 'clippy', [...clippy, '--workspace', '--all-targets', ...strict]),
  // The feature's own code; its kernels are run by the browser tests.
  cargo('Clippy, with the GPU', 2, 'clippy-gpu', [
    ...clippy,
    '--features',
    'gpu',
    '--workspace',
    '--all-targets',
    ...strict,
  ]),
  cargo('Rust tests', 5, 'rust-tests', ['test', '--release', '--workspace', '--no-fail-fast'], {
    runner: runners.cargo,
  }),

  artifact('cpu', 'CPU artifact builds without warnings'),
  // Clippy of the native build never sees code that only the browser has.
  command(
    'wasm',
    'Clippy, for the browser',
    3,
    'clippy-wasm',
    ['cargo', ...clippy, '--workspace', '--lib', '--target', target, ...faults],
    {
      env: () => ({ ...cargoEnv, ...wasmEnv(wasmRoute(), tools), CARGO_TARGET_DIR: wasmTarget }),
    },
  ),
  artifact('decoder', 'Image decoder builds without warnings'),
  artifact('threads', 'Threads artifact builds without warnings'),
  artifact('gpu', 'GPU artifact builds without warnings'),

  needing(
    () => buildWasm('cpu'),
    command('web', 'Svelte and TypeScript', 0.2, 'svelte-check', [
      process.execPath,
      bin('svelte-check', 'bin', 'svelte-check'),
      '--tsconfig',
      './tsconfig.json',
      '--fail-on-warnings',
    ]),
  ),
  command('web', 'TypeScript', 0.2, 'tsc', [process.execPath, bin('typescript', 'bin', 'tsc'), '-p', '.']),
  command('web', 'Biome', 0, 'biome', [
    process.execPath,
    bin('@biomejs', 'biome', 'bin', 'biome'),
    'ci',
    '--error-on-warnings',
  ]),
  command('web', 'Page unit tests', 0.2, 'vitest', [process.execPath, bin('vitest', 'vitest.mjs'), 'run'], {
    runner: runners.vitest,
  }),

  commandLine('browser'),
  needing(
    () => buildAll(),
    command(
      'browser',
      'Browser tests',
      2,
      'browser-tests',
      [process.execPath, '--test', '--test-reporter=tap', '--test-concurrency=1', ...browserTests],
      { runner: runners.node, env: () => ({ GRAFTLAB_BIN: program }) },
    ),
  ),

  commandLine('python'),
  command(
    'python',
    'Python checks',
    1,
    'python-checks',
    [python, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'tests/python'],
    { runner: runners.pytest, env: () => ({ GRAFTLAB_BIN: program, PYTHONDONTWRITEBYTECODE: '1' }) },
  ),
];

export const groups = [...new Set(checks.map(({ group }) => group))];
