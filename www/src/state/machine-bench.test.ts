import { expect, test } from 'vitest';
import { MachineBench } from './machine-bench.svelte';

const file = { path: 'character.onnx', file: new Blob() };

test('every network has a row per kind of work, with the middle and the ends of its runs', async () => {
  const bench = new MachineBench({ benchmark: async () => ({ forward: [3, 1, 2.5], step: [8, 10] }) });
  await bench.run([{ name: 'character', file }], 'CPU (SIMD)');
  expect(bench.rows).toEqual([
    {
      workload: 'character: forward pass',
      engine: 'CPU (SIMD)',
      ms_median: 2.5,
      ms_min: 1,
      ms_max: 3,
      runs: 3,
    },
    {
      workload: 'character: training step',
      engine: 'CPU (SIMD)',
      ms_median: 9,
      ms_min: 8,
      ms_max: 10,
      runs: 2,
    },
  ]);
  expect(bench.running).toBe(false);
});

test('what fails is told, and it can be tried again', async () => {
  let fails = true;
  const benchmark = async () => {
    if (fails) throw new Error('no memory');
    return { forward: [1], step: [1] };
  };
  const bench = new MachineBench({ benchmark });
  await bench.run([{ name: 'character', file }], 'CPU');
  expect(bench.failure?.message).toBe('no memory');
  fails = false;
  await bench.run([{ name: 'character', file }], 'CPU');
  expect(bench.failure).toBeNull();
  expect(bench.rows).toHaveLength(2);
});
