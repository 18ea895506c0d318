import { expect, test } from 'vitest';
import { Traffic } from './traffic.svelte';

const load = (address: string, bytes = 10, at = 0) => ({ address, bytes, at });

test('requests of page and worker are counted, and one to elsewhere stands out', () => {
  const traffic = new Traffic('https://lab.example');
  traffic.take('page', [load('https://lab.example/a.js'), load('blob:https://lab.example/1')]);
  traffic.take('worker', [load('https://lab.example/core.wasm', 500)]);
  expect([traffic.requests.length, traffic.bytes, traffic.elsewhere]).toEqual([2, 510, []]);
  traffic.take('worker', [load('https://lab.example.evil.test/x')]);
  expect(traffic.elsewhere.map(({ by }) => by)).toEqual(['worker']);
});

test('the check that tries another address is not counted as one', () => {
  const traffic = new Traffic('https://lab.example');
  traffic.take('page', [load('https://outside.invalid/')]);
  expect(traffic.requests).toEqual([]);
});

test('what was asked for before the mark is not counted after it, though it is told late', () => {
  const traffic = new Traffic('https://lab.example');
  expect(traffic.since).toBe(0);
  traffic.mark();
  traffic.take('worker', [load('https://lab.example/core.wasm', 1, Date.now() - 500)]);
  expect(traffic.since).toBe(0);
  traffic.take('page', [load('https://lab.example/late', 1, Date.now() + 500)]);
  expect(traffic.since).toBe(1);
});
