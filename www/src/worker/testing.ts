// A worker without a thread: the real handler and protocol around the fake core. For tests.
import type { Surroundings } from './backend';
import type { WorkerLike } from './client';
import type { Core } from './core';
import * as fakeCore from './fake-core';
import { createHandler } from './handler';
import type { FromWorker, ToWorker } from './protocol';

fakeCore.pace.milliseconds = 0;

export const cpuOnly: Surroundings = {
  gpu: undefined,
  artifactStatus: async () => ({ cpu: 'ready', gpu: 'building' }),
  threads: async () => 0,
  loadCore: async () => fakeCore as unknown as Core,
  loadDecoder: async () => () => new Uint8Array(),
};

export class InlineWorker implements WorkerLike {
  onmessage: WorkerLike['onmessage'] = null;
  onerror: WorkerLike['onerror'] = null;
  readonly #handle: (message: ToWorker) => void;
  #lastId = 0;

  constructor(around: Surroundings = cpuOnly) {
    this.#handle = createHandler({
      send: (message: FromWorker) =>
        queueMicrotask(() => this.onmessage?.({ data: message } as MessageEvent<FromWorker>)),
      surroundings: () => around,
      tryOutside: async () => 'refused',
    });
  }

  postMessage(message: ToWorker): void {
    this.#lastId = message.id;
    queueMicrotask(() => this.#handle(message));
  }

  terminate(): void {}

  /** As a device whose results can't be believed shows itself in the last request. */
  doubt(): void {
    const failure = { code: 'device_fault', message: 'the results of the device differ' };
    this.onmessage?.({ data: { id: this.#lastId, kind: 'fault', failure } } as MessageEvent<FromWorker>);
  }

  /** As a panic in the core would show itself. */
  break(): void {
    this.onerror?.({ message: 'unreachable executed' } as ErrorEvent);
  }
}

/** Files as the fake core takes them. */
export const files = {
  network: (name: string) => ({ path: `${name}.onnx`, file: new Blob([new Uint8Array([8, 1, 2])]) }),
  /** A network whose weights are in a file beside it, and that file. */
  split: (name: string) => [
    { path: `${name}.onnx`, file: new Blob([new Uint8Array([8, 9, 2])]) },
    { path: `${name}.data`, file: new Blob([new Uint8Array(8)]) },
  ],
  notNetwork: { path: 'notes.onnx', file: new Blob(['hello']) },
  zip: { path: 'images.zip', file: new Blob(['PK', new Uint8Array(200)]) },
  emptyZip: { path: 'empty.zip', file: new Blob(['PK']) },
};
