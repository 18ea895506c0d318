// Compiling for wasm32: by rustup's standard library, else by Debian's compiler, which brings the library's source.
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { aptInstall, canInstall } from './apt.mjs';
import { Problem } from './log.mjs';
import { ask, attempt, which } from './run.mjs';

export const target = 'wasm32-unknown-unknown';
const debianPackages = [
  'rustc-web',
  'cargo-web',
  'rust-web-src',
  'rust-web-llvm',
  'rust-web-clippy',
  'lld-22',
];

/** The standard library for the target, and its source, from which it is compiled anew for threads. */
function rustupHasTarget() {
  const folder = ask('rustc', ['--print', 'target-libdir', '--target', target]);
  const sysroot = ask('rustc', ['--print', 'sysroot']);
  if (folder === null || sysroot === null || !existsSync(folder)) return false;
  const source = join(sysroot, 'lib', 'rustlib', 'src', 'rust', 'library', 'std', 'Cargo.toml');
  return readdirSync(folder).some((file) => file.startsWith('libstd-')) && existsSync(source);
}

const debianHasTarget = () =>
  existsSync('/usr/bin/rustc') &&
  existsSync('/usr/bin/cargo') &&
  existsSync('/usr/bin/clippy-driver') &&
  existsSync('/usr/lib/rustlib/src/rust/library/std/Cargo.toml') &&
  which('wasm-ld-22') !== null;

/** Which route is ready: 'rustup', 'debian', or null. */
export function wasmRoute() {
  if (rustupHasTarget()) return 'rustup';
  return debianHasTarget() ? 'debian' : null;
}

export function wasmRouteText() {
  const route = wasmRoute();
  return (
    route && { rustup: `${target} of this toolchain`, debian: "Debian's rustc-web, std from source" }[route]
  );
}

export async function addWasmTarget() {
  if (which('rustup')) {
    // A closed network may hang: rustup retries for long.
    const log = 'setup-wasm-target';
    const got = await attempt('rustup', ['target', 'add', target], { log, seconds: 120 });
    if (got === 0)
      await attempt('rustup', ['component', 'add', 'rust-src'], { log, append: true, seconds: 120 });
    if (rustupHasTarget()) return;
  }
  await aptInstall(debianPackages, 'setup-wasm-target-debian');
  if (debianHasTarget()) return;
  throw new Problem(
    `Rust's standard library for ${target} could not be had.`,
    `Run: rustup target add ${target} && rustup component add rust-src${canInstall() ? '' : `\n  or, on Debian, as root: apt-get install ${debianPackages.join(' ')}`}`,
  );
}

// A function keeps its name, and is not put in the place of one for another type: `small/` goes by names, and does that itself.
const namedFlags = ['-Z merge-functions=disabled'];
// SIMD: without it the CPU backend is several times slower.
const plainFlags = ['-C target-feature=+simd128'];
// Panics say what, not where, which saves some 4 %. The command line, which is the same core, says both.
const terseFlags = ['-Z location-detail=none'];
// One memory for all threads, made by JavaScript, and what each of them needs to find its own part of it. What a memory
// may grow to has to be said; 4 GiB is all that there are addresses for.
const threadFlags = [
  '-C target-feature=+simd128,+atomics,+bulk-memory,+mutable-globals',
  ...['--shared-memory', '--import-memory', `--max-memory=${2 ** 32}`].map((flag) => `-C link-arg=${flag}`),
  ...['__wasm_init_tls', '__tls_size', '__tls_align', '__tls_base'].map(
    (name) => `-C link-arg=--export=${name}`,
  ),
];

/** The environment of a wasm build by the given route. */
export function wasmEnv(route, extraPath, { threads = false, terse = false } = {}) {
  const debian = route === 'debian';
  return {
    RUSTFLAGS: [...namedFlags, ...(threads ? threadFlags : plainFlags), ...(terse ? terseFlags : [])].join(
      ' ',
    ),
    // Debian's cargo has to come before rustup's; `--mode force` keeps wasm-pack from asking rustup.
    PATH: [debian && '/usr/bin', extraPath, process.env.PATH].filter(Boolean).join(delimiter),
    ...(debian && {
      RUSTC: '/usr/bin/rustc',
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: 'wasm-ld-22',
    }),
    // A standard library of one's own: with atomics for threads, and a small one, for its sorting alone is compiled anew
    // for every type.
    RUSTC_BOOTSTRAP: '1',
    CARGO_UNSTABLE_BUILD_STD: 'std,panic_abort',
    CARGO_UNSTABLE_BUILD_STD_FEATURES: 'optimize_for_size',
  };
}

/** The compiler that a route uses, for cache keys. */
export const wasmCompiler = (route) => ask(route === 'debian' ? '/usr/bin/rustc' : 'rustc', ['-V']);
