// Networks of one operator each, with inputs: what the importer's own tests are made of.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../scripts/paths.mjs';
import { python } from '../../scripts/tools.mjs';

export const encoded = (bytes) => Buffer.from(bytes).toString('base64');

/** Each with the bytes of its network and values for every input. */
export function operatorCases() {
  const folder = mkdtempSync(join(tmpdir(), 'graftlab-operators-'));
  try {
    execFileSync(python, ['-W', 'ignore', join(root, 'tests', 'python', 'onnx_cases.py'), folder]);
    const cases = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8'));
    return cases.map(({ name, inputs }) => ({
      name,
      bytes: readFileSync(join(folder, `${name}.onnx`)),
      feeds: inputs.map(({ shape, bits }) => ({
        shape,
        values: [...new Float32Array(new Uint32Array(bits).buffer)],
      })),
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Compares a network's outputs and gradients on the device of `globalThis.session` and on the CPU. */
export const parity = (page, bytes, feeds) =>
  page.evaluate(
    async ([text, feeds]) => {
      const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
      return globalThis.session.parity(bytes, feeds);
    },
    [encoded(bytes), feeds],
  );
