// Each thing that set-up can bring: how to see whether it is there, how long it takes, how to get it.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { aptInstall } from './apt.mjs';
import { Problem } from './log.mjs';
import { cache, root, tools } from './paths.mjs';
import { ask, attempt, logFile, run, tail, which } from './run.mjs';
import { addWasmTarget, wasmRouteText } from './wasm-target.mjs';

const wasmPackVersion = '0.15.1';

const read = (file) => readFileSync(join(root, file), 'utf8');
const hash = (text) => createHash('sha256').update(text).digest('hex');

/** Whether dotted version `have` is at least `want`. */
function atLeast(have, want) {
  const [a, b] = [have, want].map((v) => v.split('.').map(Number));
  for (let i = 0; i < b.length; i++) if ((a[i] ?? 0) !== b[i]) return (a[i] ?? 0) > b[i];
  return true;
}

// --- Rust

const rustWanted = () => read('Cargo.toml').match(/^rust-version = "([\d.]+)"/m)[1];

function haveRust() {
  const version = ask('cargo', ['-V'])?.match(/\d+\.\d+\.\d+/)?.[0];
  return version && atLeast(version, rustWanted()) ? version : null;
}

async function needRust() {
  throw new Problem(
    `Rust ${rustWanted()} or newer is needed${which('cargo') ? '' : ', and cargo is not on PATH'}.`,
    which('rustup') ? 'Run: rustup update stable' : 'Install it with rustup: see rustup.rs',
  );
}

const haveLints = () => (ask('cargo', ['fmt', '--version']) && ask('cargo', ['clippy', '--version'])) || null;

async function addLints() {
  const add = ['component', 'add', 'rustfmt', 'clippy'];
  if (which('rustup')) await attempt('rustup', add, { log: 'setup-lints', seconds: 180 });
  if (!haveLints())
    throw new Problem('rustfmt and clippy are needed.', 'Run: rustup component add rustfmt clippy');
}

export const bindgenVersion = () => read('Cargo.lock').match(/name = "wasm-bindgen"\nversion = "([^"]+)"/)[1];

const haveTool = (name, version) => () => {
  const found = ask(join(tools, 'bin', name), ['--version'])?.split(' ')[1];
  return found === version ? found : null;
};

const cargoInstall = (crate, version, optLevel) => async () => {
  const target = join(cache, 'target-tools');
  await run('cargo', ['install', crate, '--version', version, '--root', tools, '--force'], {
    log: `setup-${crate}`,
    env: {
      CARGO_TARGET_DIR: target,
      CARGO_PROFILE_RELEASE_OPT_LEVEL: optLevel,
      CARGO_PROFILE_RELEASE_LTO: 'off',
      RUSTFLAGS: '',
    },
    hint: `The crate registry and a C compiler are needed. By hand: cargo install ${crate} --version ${version} --root ${tools}`,
  });
  rmSync(target, { recursive: true, force: true });
};

// --- npm

const npmStamp = join(root, 'node_modules', '.graftlab-lock');
const lockHash = () => hash(read('package-lock.json'));

const haveNpmPackages = () =>
  existsSync(npmStamp) && readFileSync(npmStamp, 'utf8') === lockHash() ? 'as in package-lock.json' : null;

async function addNpmPackages() {
  // Under `npm start` this is the npm that called us; otherwise the one on PATH.
  const npm = process.env.npm_execpath?.endsWith('.js')
    ? [process.execPath, process.env.npm_execpath]
    : ['npm'];
  const args = [...npm.slice(1), 'ci', '--include=dev', '--no-audit', '--no-fund'];
  await run(npm[0], args, { log: 'setup-npm', hint: 'npm 10 or newer and the npm registry are needed.' });
  writeFileSync(npmStamp, lockHash());
}

// --- Browser

/** The Chromium that the browser tests drive, or null. */
export function chromium() {
  const named = process.env.GRAFTLAB_CHROMIUM;
  if (named) return existsSync(named) ? named : null;
  for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']) {
    const found = which(name);
    if (found) return found;
  }
  const mac = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
  return existsSync(mac) ? mac : null;
}

async function addChromium() {
  await aptInstall(['chromium'], 'setup-chromium');
  if (chromium()) return;
  const log = tail(logFile('setup-chromium'), { lines: 10 });
  throw new Problem(
    `${log}\n\nThe browser tests need Chromium or Chrome, and none is on PATH.`,
    'Install it (on Debian, as root: apt-get install chromium), or set GRAFTLAB_CHROMIUM to its path.',
  );
}

// --- Python, for the comparison with onnxruntime

const requirements = 'tests/python/requirements.txt';
// One per list of packages, so that checkouts that differ in it do not replace each other's.
const venv = join(cache, `venv-${hash(read(requirements)).slice(0, 12)}`);
const venvStamp = join(venv, '.graftlab-complete');
export const python = join(venv, 'bin', 'python');

const havePython = () => (existsSync(venvStamp) ? ask(python, ['--version']) : null);

async function addPython() {
  const log = 'setup-python';
  const make = () => attempt('python3', ['-m', 'venv', '--clear', venv], { log, seconds: 300 });
  if ((await make()) !== 0) {
    await aptInstall(['python3', 'python3-venv'], 'setup-python-debian');
    if ((await make()) !== 0) {
      throw new Problem(
        `${tail(logFile(log), { lines: 10 })}\n\nThe Python checks need Python 3.11 or newer with its venv module.`,
        'Install it (on Debian, as root: apt-get install python3 python3-venv).',
      );
    }
  }
  await run(python, ['-m', 'pip', 'install', '--disable-pip-version-check', '-r', requirements], {
    log,
    hint: 'The Python package registry is needed, for onnx and onnxruntime.',
  });
  writeFileSync(venvStamp, '');
}

// --- The list

/** In the order in which they are set up. `have` answers what is there, or null. */
export const things = {
  rust: { title: `Rust ${rustWanted()} or newer`, minutes: 0, have: haveRust, get: needRust },
  npm: { title: 'npm packages', minutes: 0.5, have: haveNpmPackages, get: addNpmPackages },
  lints: { title: 'rustfmt and clippy', minutes: 0.5, have: haveLints, get: addLints },
  wasmTarget: { title: 'WebAssembly target for Rust', minutes: 1, have: wasmRouteText, get: addWasmTarget },
  bindgen: {
    title: `wasm-bindgen ${bindgenVersion()}`,
    minutes: 2,
    have: haveTool('wasm-bindgen', bindgenVersion()),
    get: cargoInstall('wasm-bindgen-cli', bindgenVersion(), '2'),
  },
  wasmPack: {
    title: `wasm-pack ${wasmPackVersion}`,
    minutes: 3,
    have: haveTool('wasm-pack', wasmPackVersion),
    // It only starts other programs: compiled for a short build.
    get: cargoInstall('wasm-pack', wasmPackVersion, '0'),
  },
  chromium: { title: 'Chromium', minutes: 1, have: chromium, get: addChromium },
  python: { title: 'Python with onnx and onnxruntime', minutes: 1, have: havePython, get: addPython },
};
