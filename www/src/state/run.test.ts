import { expect, test, vi } from 'vitest';
import type { Event } from '../worker/core';
import { EventBuffer } from './carry-out';
import { lineOf } from './lines';
import { Run } from './run.svelte';

const card = { name: 'character', tasks: [{ name: 'character', classes: [] }], join_points: [] } as never;
const newRun = () => new Run([{ card, line: lineOf(0) }], 'CPU', {});
const step = (step: number, loss = 1): Event => ({
  kind: 'step',
  step,
  steps: 100,
  image_passes: step * 64,
  loss,
  task_losses: [loss],
  learning_rate: 1e-3,
  images_per_second: 640,
});

test('the time left is told while it trains', () => {
  const run = newRun();
  run.take([{ kind: 'phase_started', phase: 'distil' }, step(40)]);
  // 60 steps of 64 images at 640 images per second.
  expect(run.progress).toEqual({ done: 40, total: 100, secondsLeft: 6 });
});

test('a new phase starts without the progress of the one before, and does not claim zero', () => {
  const run = newRun();
  run.take([step(100)]);
  expect(run.share).toBe(1);
  run.take([{ kind: 'phase_started', phase: 'evaluate' }]);
  expect([run.progress, run.share]).toEqual([null, null]);
  expect(run.curve.steps).toEqual([100]);
});

test('a long curve is thinned and keeps its columns together', () => {
  const run = newRun();
  run.take(Array.from({ length: 4000 }, (_, index) => step(index + 1, index)));
  expect(run.curve.steps.length).toBe(2000);
  expect(run.curve.tasks[0]).toEqual(run.curve.sum);
  expect(run.curve.sum[10]).toBe(run.curve.steps[10]! - 1);
});

test('training that goes back to an earlier step leaves no trace of what came after it', () => {
  const run = newRun();
  const validated = (step: number): Event => ({ kind: 'validated', step, student: [step], teacher: [1] });
  run.take([step(8, 1), validated(8), step(16, 2), step(24, 3), validated(24)]);
  run.take([step(16, 4), step(24, 5), step(16, 6)]);
  run.take([step(24, 7), validated(16)]);
  expect([run.curve.steps, run.curve.sum, run.curve.tasks]).toEqual([[8, 16, 24], [1, 6, 7], [[1, 6, 7]]]);
  expect(run.validated.map((each) => each.step)).toEqual([8, 16]);
});

test('a run that goes on from a checkpoint has its curve, and the time it had taken', () => {
  vi.useFakeTimers({ now: 1_000_000 });
  const run = newRun();
  run.take([{ kind: 'phase_started', phase: 'distil' }, step(8), step(16)]);
  vi.advanceTimersByTime(60_000);
  const checkpoint = structuredClone(run.checkpoint(new Uint8Array([1]), 80));
  expect(checkpoint).toMatchObject({ phase: 'distil', share: 0.16, images: 80 });
  run.take([step(24)]);

  vi.advanceTimersByTime(3_600_000);
  const further = Run.resumed(run.networks, 'CPU', checkpoint);
  expect(further.startedAt).toBe(run.startedAt);
  expect(further.took()).toBe(60_000);
  further.take([step(24), step(32)]);
  expect(further.curve.steps).toEqual([8, 16, 24, 32]);
  vi.useRealTimers();
});

test('each task of a network has its own loss', () => {
  const two = { ...(card as object), tasks: [{ name: 'a' }, { name: 'b' }] } as never;
  const run = new Run(
    [two, card].map((each, slot) => ({ card: each, line: lineOf(slot) })),
    'CPU',
    {},
  );
  run.take([{ ...step(1), task_losses: [1, 2, 3] } as Event]);
  expect(run.curve.tasks).toEqual([[1], [2], [3]]);
});

test('the time for which a run rests does not count', () => {
  vi.useFakeTimers();
  const run = newRun();
  vi.advanceTimersByTime(5_000);
  run.pause();
  vi.advanceTimersByTime(60_000);
  expect([run.status, run.active, run.took()]).toEqual(['paused', true, 5_000]);
  run.goOn();
  vi.advanceTimersByTime(1_000);
  expect([run.status, run.took()]).toEqual(['running', 6_000]);
  run.pause();
  vi.advanceTimersByTime(60_000);
  run.stop();
  expect([run.status, run.took()]).toEqual(['stopping', 6_000]);
  vi.useRealTimers();
});

test('a run that was stopped says so, with a network or without', () => {
  const withNetwork = newRun();
  withNetwork.status = 'stopping';
  withNetwork.finish({} as never);
  expect(withNetwork.status).toBe('stopped');
  const without = newRun();
  without.fail(true);
  expect([without.status, without.outcome]).toEqual(['stopped', null]);
});

test('events come together, in order, and none is lost at the end', () => {
  vi.useFakeTimers();
  const taken: number[] = [];
  const take = vi.fn((events: Event[]) => {
    for (const event of events) if (event.kind === 'step') taken.push(event.step);
  });
  const buffer = new EventBuffer(take, 80);
  for (let n = 1; n <= 5; n++) buffer.push(step(n));
  expect(take).not.toHaveBeenCalled();
  vi.advanceTimersByTime(80);
  expect(take).toHaveBeenCalledOnce();
  buffer.push(step(6));
  buffer.flush();
  vi.advanceTimersByTime(200);
  expect(taken).toEqual([1, 2, 3, 4, 5, 6]);
  vi.useRealTimers();
});
