// The GPU artifact on a software adapter: slow, but the shaders are those of a real one.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { root } from '../../scripts/paths.mjs';
import { startLab } from './harness.mjs';
import { evaluateNatively } from './native.mjs';
import { encoded, operatorCases, parity } from './operators.mjs';
import { readPack, smallPack } from './pack.mjs';

const slow = { timeout: 20 * 60_000 };
const folder = join(root, 'models', 'networks');
const networks = readdirSync(folder).filter((name) => name.endsWith('.onnx'));

// What a software adapter does in a few minutes.
const images = { train: 160, validation: 48, test: 64 };
const search = { calibration_images: 64, score_images: 16, finalists: 1 };
const train = { image_passes: 256, batch_size: 16 };

let lab;
let page;
let problems;
before(async () => {
  lab = await startLab();
  ({ page, problems } = await lab.open());
}, slow);
after(() => lab?.close());

const close = ({ outputs, gradients }, name) => {
  assert.ok(outputs <= 1e-3, `${name}: outputs differ by ${outputs}`);
  assert.ok(gradients <= 1e-2, `${name}: gradients differ by ${gradients}`);
};

test('there is an adapter, and the self-test passes on it', slow, async () => {
  const device = await page.evaluate(async () => {
    if (!(await navigator.gpu?.requestAdapter())) throw new Error('there is no WebGPU adapter');
    globalThis.core = await import(new URL('./pkg/gpu/graftlab.js', document.baseURI).href);
    await globalThis.core.default();
    const decoder = await import(new URL('./pkg/decoder/decoder.js', document.baseURI).href);
    await decoder.default();
    globalThis.core.useDecoder(decoder.decode);
    globalThis.session = await globalThis.core.Session.create('webgpu');
    return globalThis.session.device;
  });
  assert.match(device, /^WebGPU/);
  assert.deepEqual(problems, []);
});

for (const name of networks) {
  test(`${name} gives on the GPU what it gives on the CPU, and so do its gradients`, slow, async () => {
    close(await parity(page, readFileSync(join(folder, name))), name);
  });
}

test('every operator gives on the GPU what it gives on the CPU, and so do its gradients', slow, async () => {
  const cases = operatorCases();
  assert.ok(cases.length > 200, `${cases.length} cases`);
  const wrong = [];
  for (const { name, bytes, feeds } of cases) {
    try {
      close(await parity(page, bytes, feeds), name);
    } catch (error) {
      wrong.push(error.message.split('\n')[0]);
    }
  }
  assert.deepEqual(wrong, []);
});

test('a run on the GPU comes to its end, and its network is as good on the CPU', slow, async () => {
  const pack = smallPack(readPack('glyphs'), images);
  // The pair with the fewest joins to score.
  const bundled = ['character', 'typeface'].map((name) => [
    `${name}.onnx`,
    encoded(readFileSync(join(folder, `${name}.onnx`))),
  ]);
  const { report, onnx, phases } = await page.evaluate(
    async ({ pack, bundled, search, train }) => {
      const decoded = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
      const { core, session } = globalThis;
      for (const [name, text] of bundled) session.addNetwork(name, decoded(text), undefined);
      await session.loadZip(decoded(pack), () => {});
      const quick = core.defaultSettings(true);
      const settings = {
        ...quick,
        budget: 0.6,
        search: { ...quick.search, ...search },
        train: { ...quick.train, ...train },
      };
      const phases = [];
      const outcome = await session.run(
        settings,
        (event) => event.phase && phases.push(event.phase),
        () => {},
      );
      const onnx = btoa(Array.from(outcome.onnx, (byte) => String.fromCharCode(byte)).join(''));
      return { report: outcome.report, onnx, phases: [...new Set(phases)] };
    },
    { pack: encoded(pack), bundled, search, train },
  );
  assert.deepEqual(phases, ['teachers', 'score', 'search', 'distil', 'evaluate', 'export']);
  assert.equal(report.device, 'webgpu');
  assert.equal(report.stopped, false);
  assert.ok(report.cost.macs.merged < report.cost.macs.originals);
  assert.equal(report.curve.at(-1).image_passes, train.image_passes);
  assert.ok(report.curve.every(({ loss }) => Number.isFinite(loss)));
  assert.deepEqual(problems, []);

  const network = Buffer.from(onnx, 'base64');
  const natively = evaluateNatively(network, pack);
  report.tasks.forEach((task, index) => {
    assert.equal(natively[index].name, task.name);
    // Rounding may turn one image that lies between two classes.
    const images = Math.abs(natively[index].accuracy - task.test.merged) * task.test.labelled;
    assert.ok(images < 1.5, `${task.name}: ${task.test.merged}, on the CPU ${natively[index].accuracy}`);
  });
  close(await parity(page, network), 'merged.onnx');
});
