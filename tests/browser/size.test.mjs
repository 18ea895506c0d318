// What a first visit downloads, compressed as servers do.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { dist } from '../../scripts/paths.mjs';
import { ready, startLab } from './harness.mjs';

const brotli = (bytes) =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }).length;

/** Most bytes by gzip and brotli, a little above what they are: what makes them grow has to be worth it. */
const most = {
  cpu: [0.8e6, 0.73e6],
  decoder: [0.22e6, 0.2e6],
  threads: [0.93e6, 0.83e6],
  gpu: [2.28e6, 1.95e6],
};

let lab;
before(async () => {
  lab = await startLab();
});
after(() => lab?.close());

for (const [kind, [gzipped, brotlied]] of Object.entries(most)) {
  test(`the ${kind} artifact stays small`, () => {
    const name = kind === 'decoder' ? kind : 'graftlab';
    const bytes = readFileSync(join(dist, 'pkg', kind, `${name}_bg.wasm`));
    const sizes = [gzipSync(bytes, { level: 9 }).length, brotli(bytes)];
    assert.ok(sizes[0] <= gzipped, `${sizes[0]} bytes gzipped`);
    assert.ok(sizes[1] <= brotlied, `${sizes[1]} bytes by brotli`);
  });
}

test('the scripts of the first view stay below 150 kB', async () => {
  const { page } = await lab.open();
  await ready(page);
  const scripts = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .map(({ name }) => name)
      .filter((name) => name.endsWith('.js')),
  );
  assert.ok(scripts.length > 0);
  const own = scripts.filter((name) => name.includes('/assets/'));
  const bytes = own.reduce(
    (sum, name) => sum + gzipSync(readFileSync(join(dist, 'assets', basename(name)))).length,
    0,
  );
  assert.ok(bytes <= 150_000, `${bytes} bytes gzipped`);
});
