// The command line, for comparison with what the browser computes.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nativeTarget } from '../../scripts/paths.mjs';

const program = process.env.GRAFTLAB_BIN || join(nativeTarget, 'release', 'graftlab');

/** Runs `graftlab` on files that are written for it; `use` gets a function that names a file of a temporary folder. */
function inFolder(use) {
  if (!existsSync(program)) throw new Error(`${program} is not there. Run: cargo build --release`);
  const folder = mkdtempSync(join(tmpdir(), 'graftlab-'));
  try {
    return use((name) => join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const graftlab = (...args) => execFileSync(program, args, { encoding: 'utf8' });

/** A float32 array as a .npy file. */
function npy(values, shape) {
  let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`;
  header = `${header.padEnd(Math.ceil((11 + header.length) / 64) * 64 - 11)}\n`;
  const start = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  start.writeUInt16LE(header.length, 8);
  return Buffer.concat([start, Buffer.from(header), Buffer.from(Float32Array.from(values).buffer)]);
}

/** The values of a .npy file of float32. */
function values(bytes) {
  const start = 10 + bytes.readUInt16LE(8);
  return [...new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length))];
}

/** Output `index` of a network. `images`: [batch, channels, height, width] as `shape` says. */
export const runNatively = (network, images, shape, index) =>
  inFolder((file) => {
    writeFileSync(file('network.onnx'), network);
    writeFileSync(file('input.npy'), npy(images, shape));
    const files = ['--input', file('input.npy'), '--output', file('output.npy'), '--index', String(index)];
    graftlab('run', file('network.onnx'), ...files);
    return values(readFileSync(file('output.npy')));
  });

/** Accuracy per task on the test split of a zip. */
export const evaluateNatively = (network, zip) =>
  inFolder((file) => {
    writeFileSync(file('network.onnx'), network);
    writeFileSync(file('data.zip'), zip);
    return JSON.parse(graftlab('eval', file('network.onnx'), '--data', file('data.zip'), '--json')).tasks;
  });
