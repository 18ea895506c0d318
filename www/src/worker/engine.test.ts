import { expect, test, vi } from 'vitest';
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

const settings = (opened: BackendInUse[]) => opened.at(-1)!.settings.quick;

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

  const outcome = await engine.run(settings(opened), () => {});
  expect(outcome.report.tasks.map(({ name }) => name)).toEqual(['character', 'emphasis']);
});

test('a run that breaks is rejected, and the next one works', async () => {
  const { engine, workers, opened } = setUp();
  await engine.addNetwork(files.network('character'));
  await engine.addNetwork(files.network('typeface'));
  await engine.loadZip(files.zip, () => {});
  const broken = engine.run(settings(opened), () => workers[0]!.break());
  await expect(broken).rejects.toMatchObject({ code: 'fault' });
  const outcome = await engine.run(settings(opened), () => {});
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
  const { engine, opened } = setUp();
  await engine.addNetwork(files.network('character'));
  await engine.addNetwork(files.network('typeface'));
  await engine.loadZip(files.zip, () => {});
  const outcome = await engine.run(settings(opened), (event) => {
    if (event.kind === 'step' && event.step === 5) engine.stop();
  });
  expect(outcome.report.curve.length).toBeLessThan(20);
});

test('a stop before there is a network is a failure of its own', async () => {
  const { engine, opened } = setUp();
  await engine.addNetwork(files.network('character'));
  await engine.addNetwork(files.network('typeface'));
  await engine.loadZip(files.zip, () => {});
  const run = engine.run(settings(opened), (event) => {
    if (event.kind === 'candidate_scored') engine.stop();
  });
  await expect(run).rejects.toMatchObject({ code: 'cancelled' });
});

test('a worker that breaks before it is ready is not started again and again', async () => {
  const { workers, listener } = setUp();
  workers[0]!.break();
  await vi.waitFor(() => expect(listener.unavailable).toHaveBeenCalledOnce());
  expect(workers).toHaveLength(1);
});
