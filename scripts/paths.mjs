// Where things are: in the checkout, and in the one cache folder outside it.
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const userCache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
export const cache = process.env.GRAFTLAB_CACHE || join(userCache, 'graftlab');

export const logs = join(root, 'logs');
export const tools = join(cache, 'tools');
export const artifacts = join(cache, 'wasm');

// Outside the checkout, so that a fresh clone reuses what is built.
export const nativeTarget = process.env.CARGO_TARGET_DIR || join(cache, 'target');
// Apart from the native one: cargo locks a target folder, and the GPU build takes minutes in the background.
export const wasmTarget = join(nativeTarget, 'wasm');

export const dist = join(root, 'dist');
export const pkg = join(root, 'pkg');
