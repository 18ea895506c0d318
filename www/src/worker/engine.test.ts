import { expect, test, vi } from 'vitest';
import type { Event } from './core';
import { Engine } from './engine';
import type { BackendInUse } from './protocol';
import { files, InlineWorker } from './testing';

function setUp() {
  const workers: InlineWorker[] = [];
  const opened: BackendInUse[] = [];
  const listener = {
    opening: vi.fn(),
    opened: (backend: BackendInUse) => opened.push(backend),
    unavailable: vi.fn(),
    broke: vi.fn(),
    loads: vi.fn(),
    complete: vi.fn(),
  };
  const engine = new Engine(
    () => {
      const worker = new InlineWorker();
      workers.push(worker);
      return worker;
    },
    'http://localhost/',
    listener,
  );
  engine.open('auto');
  return { engine, workers, opened, listener };
}

async function setUpRun() {
  const all = setUp();
  await all.engine.addNetwork(files.network('character'));
  await all.engine.addNetwork(files.network('typeface'));
  await all.engine.loadZip(files.zip, () => {});
  return all;
}

const settings = (opened: BackendInUse[]) => opened.at(-1)!.settings.quick;
const nothing = () => {};

test('after a fault a new worker has the networks and images of the old one, and runs', async () => {
  const { engine, workers, opened, listener } = setUp();
  await engine.addNetwork(files.network('character'));
  await engine.addNetwork(files.network('typeface'));
  await engine.addNetwork(files.network('emphasis'));
  await engine.removeNetwork(1);
  await engine.loadZip(files.zip, () => {});

  workers[0]!.break();
  await vi.waitFor(() => expect(opened).toHaveLength(2));
  expect(listener.broke).toHaveBeenCalledOnce();

  const outcome = await engine.run(settings(opened), nothing, nothing);
  expect(outcome.report.tasks.map(({ name }) => name)).toEqual(['character', 'emphasis']);
});

test('a run that breaks is rejected, and the next one works', async () => {
  const { engine, workers, opened } = await setUpRun();
  const broken = engine.run(settings(opened), () => workers[0]!.break(), nothing);
  await expect(broken).rejects.toMatchObject({ code: 'fault' });
  const outcome = await engine.run(settings(opened), nothing, nothing);
  expect(outcome.onnx.byteLength).toBeGreaterThan(0);
});

test('what failed to load is not given to a new worker', async () => {
  const { engine, workers, opened, listener } = setUp();
  await engine.addNetwork(files.network('character'));
  await expect(engine.addNetwork(files.notNetwork)).rejects.toMatchObject({ code: 'not_onnx' });
  await engine.loadZip(files.zip, () => {});
  await expect(engine.loadZip(files.emptyZip, () => {})).rejects.toMatchObject({ code: 'no_images' });
  workers[0]!.break();
  await vi.waitFor(() => expect(opened).toHaveLength(2));
  expect(listener.unavailable).not.toHaveBeenCalled();
});

test('a stopped run gives the network as it is', async () => {
  const { engine, opened } = await setUpRun();
  const stop = (event: Event) => event.kind === 'step' && event.step === 5 && engine.stop();
  const outcome = await engine.run(settings(opened), stop, nothing);
  expect(outcome.report.curve.length).toBeLessThan(20);
});

test('a stop before there is a network is a failure of its own', async () => {
  const { engine, opened } = await setUpRun();
  const stop = (event: Event) => event.kind === 'candidate_scored' && engine.stop();
  const run = engine.run(settings(opened), stop, nothing);
  await expect(run).rejects.toMatchObject({ code: 'cancelled' });
});

test('a run that is stopped while it waits for the core never starts, and the next one works', async () => {
  const { engine, opened } = await setUpRun();
  engine.open('cpu');
  const told = vi.fn();
  const run = engine.run(settings(opened), told, nothing);
  engine.stop();
  await expect(run).rejects.toMatchObject({ code: 'cancelled' });
  expect(told).not.toHaveBeenCalled();
  const outcome = await engine.run(settings(opened), nothing, nothing);
  expect(outcome.report.stopped).toBe(false);
});

test('a device that computes something wrong gives way to the CPU, even if it was chosen', async () => {
  const { engine, workers, opened, listener } = await setUpRun();
  engine.open('webgpu');
  await vi.waitFor(() => expect(opened).toHaveLength(2));
  const doubt = (event: Event) => event.kind === 'step' && workers[1]!.doubt();
  const run = engine.run(settings(opened), doubt, nothing);
  await expect(run).rejects.toMatchObject({ code: 'device_fault' });
  await vi.waitFor(() => expect(opened).toHaveLength(3));
  expect(opened[2]).toMatchObject({ backend: 'cpu', reason: 'fault', detail: { code: 'device_fault' } });
  expect(listener.broke).toHaveBeenCalledOnce();
});

test('a run keeps checkpoints, one at once when asked, and goes on from one in another worker', async () => {
  const { engine, workers, opened } = await setUpRun();
  const whole = await engine.run(settings(opened), nothing, nothing);
  const steps: number[] = [];
  const checkpoints: [step: number, bytes: Uint8Array][] = [];
  const broken = engine.run(
    settings(opened),
    (event) => {
      if (event.kind !== 'step') return;
      steps.push(event.step);
      if (event.step === 5) engine.keepCheckpoint();
      if (event.step === 30) workers[0]!.break();
    },
    (bytes) => checkpoints.push([steps.at(-1)!, bytes]),
  );
  await expect(broken).rejects.toMatchObject({ code: 'fault' });
  const [[asked], [, newest]] = [checkpoints[0]!, checkpoints.at(-1)!];
  expect(asked).toBeLessThan(20);

  const further: number[] = [];
  const outcome = await engine.run(
    settings(opened),
    (event) => event.kind === 'step' && further.push(event.step),
    nothing,
    newest,
  );
  expect(outcome.report.curve).toEqual(whole.report.curve);
  expect(further[0]).toBe(checkpoints.at(-1)![0] + 1);
});

test('a run rests when asked, with a checkpoint made, and goes on to the same end', async () => {
  const { engine, opened } = await setUpRun();
  const whole = await engine.run(settings(opened), nothing, nothing);
  const steps: number[] = [];
  const checkpoints: number[] = [];
  const run = engine.run(
    settings(opened),
    (event) => {
      if (event.kind !== 'step') return;
      steps.push(event.step);
      if (event.step === 5) engine.pause(true);
    },
    () => checkpoints.push(steps.at(-1)!),
  );
  await vi.waitFor(() => expect(checkpoints).toHaveLength(1));
  const rested = steps.length;
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setTimeout(resolve));
  expect(steps).toHaveLength(rested);
  engine.pause(false);
  expect((await run).report.curve).toEqual(whole.report.curve);
});

test('a checkpoint of other settings is refused', async () => {
  const { engine, opened } = await setUpRun();
  const checkpoints: Uint8Array[] = [];
  await engine.run(settings(opened), nothing, (bytes) => checkpoints.push(bytes));
  const other = { ...settings(opened), seed: 1 };
  await expect(engine.run(other, nothing, nothing, checkpoints[0])).rejects.toMatchObject({
    code: 'bad_checkpoint',
  });
});

test('a worker that breaks before it is ready is not started again and again', async () => {
  const { workers, listener } = setUp();
  workers[0]!.break();
  await vi.waitFor(() => expect(listener.unavailable).toHaveBeenCalledOnce());
  expect(workers).toHaveLength(1);
});
