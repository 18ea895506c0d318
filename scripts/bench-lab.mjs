// `npm run bench-lab`: how soon the page is there, and what it does with many large images. Linux only, for the memory.
// dist/ has to be built before.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ready, startLab } from '../tests/browser/harness.mjs';
import { zip } from '../tests/browser/pack.mjs';
import { integers, model, node, weight } from '../tests/browser/small.mjs';
import { main, say, step } from './log.mjs';
import { memoryByProcess, together } from './memory.mjs';
import { dist } from './paths.mjs';

const count = 5000;
const size = 224;
/** Different pictures; each is in the pack many times. */
const different = 50;
const views = 5;

/** A network that looks at colour images of the size. */
const network = (task) =>
  model({
    task,
    classes: ['even', 'odd'],
    inputs: [['image', 3, size, size]],
    nodes: [
      node('MaxPool', ['image'], 'small', {
        attributes: [integers('kernel_shape', [8, 8]), integers('strides', [8, 8])],
      }),
      node('Relu', ['small'], 'relu'),
      node('GlobalAveragePool', ['relu'], 'average'),
      node('Flatten', ['average'], 'three'),
      node('Gemm', ['three', 'classifier'], 'logits'),
    ],
    outputs: [['logits', 2]],
    weights: [weight('classifier', [3, 2], (_, at) => at - 2)],
  });

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Milliseconds from the address to the first paint and to a core that is ready, and the page's scripts. */
async function firstView(lab) {
  const { page, context } = await lab.open({ locale: 'en-GB' });
  await ready(page);
  const seen = await page.evaluate(() => {
    const scripts = performance
      .getEntriesByType('resource')
      .map(({ name }) => new URL(name).pathname)
      .filter((path) => path.endsWith('.js') && !path.includes('/pkg/'));
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    return { paint: paint.startTime, ready: performance.now(), scripts: [...new Set(scripts)] };
  });
  await context.close();
  return seen;
}

const gzipped = (path) => gzipSync(readFileSync(join(dist, 'assets', basename(path)))).length;

/** Pictures such as a camera's: soft areas, edges, a little noise. */
const draw = (page) =>
  page.evaluate(
    async ({ different, size }) => {
      const canvas = new OffscreenCanvas(size, size);
      const context = canvas.getContext('2d');
      const pictures = [];
      for (let at = 0; at < different; at++) {
        const sky = context.createLinearGradient(0, 0, at * 4, size);
        sky.addColorStop(0, `hsl(${at * 7} 60% 70%)`);
        sky.addColorStop(1, `hsl(${at * 13} 40% 30%)`);
        context.fillStyle = sky;
        context.fillRect(0, 0, size, size);
        for (let spot = 0; spot < 300; spot++) {
          context.fillStyle = `hsl(${spot * at} 50% ${spot % 100}% / 40%)`;
          context.fillRect((spot * 37 * at) % size, (spot * 53) % size, 3 + (spot % 17), 3 + (at % 11));
        }
        const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.9 });
        pictures.push(Array.from(new Uint8Array(await blob.arrayBuffer())));
      }
      return pictures;
    },
    { different, size },
  );

/** Has every task of the main thread noted that takes longer than the browser's bound of 50 ms. */
const watchTasks = (page) =>
  page.evaluate(() => {
    window.longTasks = [];
    new PerformanceObserver((list) =>
      window.longTasks.push(...list.getEntries().map((it) => it.duration)),
    ).observe({
      type: 'longtask',
    });
  });

/** Those since the last call, in milliseconds. */
const longTasks = (page) => page.evaluate(() => window.longTasks.splice(0));

async function manyImages(lab, folder) {
  const { page, context } = await lab.openReady();
  const pictures = (await draw(page)).map((bytes) => Buffer.from(bytes));
  const names = Array.from({ length: count }, (_, at) => `images/${String(at).padStart(5, '0')}.jpg`);
  const labels = ['file,first,second', ...names.map((name, at) => `${name},${['even', 'odd'][at % 2]},even`)];
  const pack = join(folder, 'pictures.zip');
  writeFileSync(
    pack,
    zip([
      ...names.map((name, at) => [name, pictures[at % different]]),
      ['labels.csv', Buffer.from(labels.join('\n'))],
    ]),
  );
  const onnx = (task) => ({
    name: `${task}.onnx`,
    mimeType: 'application/octet-stream',
    buffer: Buffer.from(network(task)),
  });
  const give = (area, files) => page.locator(`#${area} input[type=file]`).first().setInputFiles(files);
  await give('networks', [onnx('first'), onnx('second')]);
  await page.locator('.network').nth(1).waitFor();
  await watchTasks(page);
  const before = together(memoryByProcess());
  const started = Date.now();
  await give('data', pack);
  await page
    .locator('#data .total')
    .getByText(`${count.toLocaleString('en')} images`)
    .waitFor({ timeout: 0 });
  const seconds = (Date.now() - started) / 1000;
  const whileLoading = await longTasks(page);
  const after = together(memoryByProcess());

  const grid = page.getByRole('region', { name: 'All images' });
  await grid.scrollIntoViewIfNeeded();
  await grid.hover();
  for (let turn = 0; turn < 50; turn++) await page.mouse.wheel(0, 2000);
  await grid.getByRole('img').first().waitFor();
  const whileScrolling = await longTasks(page);
  const shown = await grid.getByRole('img').count();
  await context.close();
  return {
    megabytes: readFileSync(pack).length / 1e6,
    seconds,
    before,
    after,
    whileLoading,
    whileScrolling,
    shown,
  };
}

const longest = (tasks) => (tasks.length ? `${Math.max(...tasks).toFixed(0)} ms` : 'under 50 ms');

await main(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'graftlab-'));
  const lab = await startLab();
  try {
    const seen = [];
    await step(`Opening the page ${views} times`, 0.3, async () => {
      for (let view = 0; view < views; view++) seen.push(await firstView(lab));
    });
    const scripts = seen[0].scripts.reduce((sum, path) => sum + gzipped(path), 0) / 1000;
    let images;
    await step(`Loading ${count} images of ${size} × ${size}`, 1, async () => {
      images = await manyImages(lab, folder);
    });
    const rows = [
      ['first paint, median', `${median(seen.map(({ paint }) => paint)).toFixed(0)} ms`],
      ['core ready, median', `${median(seen.map((view) => view.ready)).toFixed(0)} ms`],
      ['scripts of the first view, gzipped', `${scripts.toFixed(0)} kB`],
      [
        `${count} JPEGs of ${size} × ${size}, ${images.megabytes.toFixed(0)} MB as zip`,
        `${images.seconds.toFixed(1)} s`,
      ],
      ['longest task of the page while they load', longest(images.whileLoading)],
      ['longest task of the page while they are scrolled through', longest(images.whileScrolling)],
      ['pictures in the page of them', String(images.shown)],
      [
        'memory of the browser before and after',
        `${images.before.toFixed(0)} and ${images.after.toFixed(0)} MiB`,
      ],
    ];
    say(`\n|  |  |\n|---|--:|\n${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}`);
  } finally {
    await lab.close();
    rmSync(folder, { recursive: true });
  }
});
