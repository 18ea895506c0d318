// onnxruntime-web in the browser under test, on a page of its own with the lab's policy.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../scripts/paths.mjs';
import { serve } from '../../scripts/serve.mjs';

/**
 * Loads a network. `run` takes PNG files and answers `{ outputs, pixels, shape }`; `time` takes the shape of a batch and
 * answers the milliseconds of so many passes; `close` ends it.
 */
export async function openRuntime(browser, network) {
  const folder = mkdtempSync(join(tmpdir(), 'graftlab-onnxruntime-'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>onnxruntime-web</title>');
  writeFileSync(join(folder, 'network.onnx'), network);
  symlinkSync(join(root, 'node_modules', 'onnxruntime-web', 'dist'), join(folder, 'ort'));
  const server = await serve({ folder, port: 0 });
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(server.address);
  await page.evaluate(load);

  async function close() {
    await context.close();
    await server.close();
    rmSync(folder, { recursive: true });
  }
  const run = (pictures) =>
    page.evaluate(
      compute,
      pictures.map((picture) => picture.toString('base64')),
    );
  const time = (shape, passes) => page.evaluate(timed, [shape, passes]);
  return { run, time, close };
}

// These run in the page.

async function load() {
  const ort = await import(new URL('ort/ort.wasm.min.mjs', document.baseURI).href);
  ort.env.wasm.wasmPaths = new URL('ort/', document.baseURI).href;
  ort.env.wasm.numThreads = 1;
  const bytes = new Uint8Array(await (await fetch('network.onnx')).arrayBuffer());
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  globalThis.runtime = { ort, session };
}

/** Outputs by name for grey pictures, [pictures][classes]; and the pixels that went in. */
async function compute(pictures) {
  const { ort, session } = globalThis.runtime;
  const bitmaps = await Promise.all(
    pictures.map((text) => {
      const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
      return createImageBitmap(new Blob([bytes], { type: 'image/png' }), { colorSpaceConversion: 'none' });
    }),
  );
  const { width, height } = bitmaps[0];
  const size = width * height;
  const canvas = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  const pixels = new Float32Array(pictures.length * size);
  bitmaps.forEach((bitmap, index) => {
    canvas.drawImage(bitmap, 0, 0);
    const { data } = canvas.getImageData(0, 0, width, height);
    for (let at = 0; at < size; at++) pixels[index * size + at] = data[at * 4];
  });
  const outputs = Object.fromEntries(session.outputNames.map((name) => [name, []]));
  const batch = 64;
  for (let from = 0; from < pictures.length; from += batch) {
    const part = pixels.slice(from * size, (from + batch) * size);
    const shape = [part.length / size, 1, height, width];
    const results = await session.run({ [session.inputNames[0]]: new ort.Tensor('float32', part, shape) });
    for (const [name, { data, dims }] of Object.entries(results)) {
      for (let row = 0; row < dims[0]; row++) {
        outputs[name].push([...data.slice(row * dims[1], (row + 1) * dims[1])]);
      }
    }
  }
  return { outputs, pixels: [...pixels], shape: [pictures.length, 1, height, width] };
}

/** Milliseconds of each pass over a batch of this shape; the first pass is not counted. */
async function timed([shape, passes]) {
  const { ort, session } = globalThis.runtime;
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1)).map(
    (_, at) => at % 256,
  );
  const images = { [session.inputNames[0]]: new ort.Tensor('float32', values, shape) };
  const times = [];
  for (let pass = 0; pass <= passes; pass++) {
    const start = performance.now();
    await session.run(images);
    if (pass > 0) times.push(performance.now() - start);
  }
  return times;
}
