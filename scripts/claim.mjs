// Cargo tells by file times alone what has changed, and one target folder serves every checkout on a machine: sources
// that are older than another checkout's build would pass as built.
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

/** Lets cargo compile this checkout's crate anew if another checkout was the last to use the target folder. */
export function claimTarget(folder) {
  const note = join(folder, 'last-checkout');
  if (existsSync(note) && readFileSync(note, 'utf8') === root) return;
  const now = new Date();
  utimesSync(join(root, 'src', 'lib.rs'), now, now);
  mkdirSync(folder, { recursive: true });
  writeFileSync(note, root);
}
