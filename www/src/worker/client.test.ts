import { describe, expect, test, vi } from 'vitest';
import { WorkerClient, type WorkerLike } from './client';
import type { FromWorker, ToWorker } from './protocol';

/** A worker that answers only when the test says so. */
class SilentWorker implements WorkerLike {
  onmessage: WorkerLike['onmessage'] = null;
  onerror: WorkerLike['onerror'] = null;
  readonly received: ToWorker[] = [];
  isTerminated = false;

  postMessage(message: ToWorker): void {
    this.received.push(message);
  }

  terminate(): void {
    this.isTerminated = true;
  }

  say(message: FromWorker): void {
    this.onmessage?.({ data: message } as MessageEvent<FromWorker>);
  }
}

function setUp() {
  const workers: SilentWorker[] = [];
  const onFault = vi.fn();
  const client = new WorkerClient(() => {
    const worker = new SilentWorker();
    workers.push(worker);
    return worker;
  }, onFault);
  return { client, workers, onFault };
}

const failure = { code: 'fault', message: 'unreachable' };

describe('requests', () => {
  test('replies reach the request with their id, in any order', async () => {
    const { client, workers } = setUp();
    const first = client.call('remove_network', { index: 0 });
    const second = client.call('try_outside', {});
    expect(workers[0]!.received.map(({ id }) => id)).toEqual([first.id, second.id]);
    workers[0]!.say({ id: second.id, kind: 'value', value: 'refused' });
    workers[0]!.say({ id: first.id, kind: 'value', value: null });
    expect(await first).toBeNull();
    expect(await second).toBe('refused');
  });

  test('a failure keeps its code and its hint', async () => {
    const { client, workers } = setUp();
    const request = client.call('try_outside', {});
    workers[0]!.say({
      id: request.id,
      kind: 'failure',
      failure: { code: 'not_onnx', message: 'no', hint: 'do' },
    });
    await expect(request).rejects.toMatchObject({ code: 'not_onnx', message: 'no', hint: 'do' });
  });

  test('events go to their own request until it is answered', async () => {
    const { client, workers } = setUp();
    const onEvent = vi.fn();
    const request = client.call('run', { settings: {} as never, crew: 0 }, onEvent);
    const event = { kind: 'warning', message: 'few images' } as const;
    workers[0]!.say({ id: request.id, kind: 'event', event });
    workers[0]!.say({ id: request.id + 1, kind: 'event', event });
    workers[0]!.say({ id: request.id, kind: 'value', value: null });
    workers[0]!.say({ id: request.id, kind: 'event', event });
    await request;
    expect(onEvent).toHaveBeenCalledOnce();
  });

  test('only a request that is still asked is urged', async () => {
    const { client, workers } = setUp();
    const request = client.call('run', { settings: {} as never, crew: 0 });
    client.urge({ id: request.id, method: 'cancel' });
    workers[0]!.say({ id: request.id, kind: 'value', value: null });
    await request;
    client.urge({ id: request.id, method: 'cancel' });
    expect(workers[0]!.received.filter(({ method }) => method === 'cancel')).toHaveLength(1);
  });
});

describe('a broken worker', () => {
  test.each([
    ['a fault it reports', (worker: SilentWorker) => worker.say({ id: 1, kind: 'fault', failure })],
    [
      'an error nobody caught',
      (worker: SilentWorker) => worker.onerror?.({ message: failure.message } as ErrorEvent),
    ],
    [
      'a thread of its core that broke',
      (worker: SilentWorker) => {
        const { port1, port2 } = new MessageChannel();
        worker.say({ id: null, kind: 'thread', port: port2 as unknown as MessagePort });
        port1.postMessage(failure.message);
      },
    ],
  ])('is replaced after %s, and all its requests are rejected', async (_, breakIt) => {
    const { client, workers, onFault } = setUp();
    const requests = [client.call('try_outside', {}), client.call('remove_network', { index: 0 })];
    breakIt(workers[0]!);
    for (const request of requests) await expect(request).rejects.toMatchObject({ message: failure.message });
    expect(workers[0]!.isTerminated).toBe(true);
    expect(onFault).toHaveBeenCalledOnce();

    const again = client.call('try_outside', {});
    workers[1]!.say({ id: again.id, kind: 'value', value: 'refused' });
    expect(await again).toBe('refused');
  });

  test('has its late replies dropped', async () => {
    const { client, workers } = setUp();
    const old = client.call('try_outside', {});
    const late = workers[0]!.onmessage;
    client.replace();
    await expect(old).rejects.toMatchObject({ code: 'replaced' });
    const next = client.call('try_outside', {});
    // Even if a message is already on its way, with an id of before.
    late?.({ data: { id: old.id, kind: 'value', value: 'refused' } } as MessageEvent<FromWorker>);
    workers[1]!.say({ id: next.id, kind: 'value', value: 'not_refused' });
    expect(await next).toBe('not_refused');
  });
});
