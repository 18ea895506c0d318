// The threads of the core: workers with nothing but its module and the memory that they share.
import { relaxedSimd, threads } from 'wasm-feature-detect';
import type { ThreadedCore } from './core';
import type { Load } from './loads';

/** To a thread's worker. */
export interface ThreadStart {
  /** Of the core's JavaScript. */
  address: string;
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** Is told, as a text, why the thread broke. */
  port: MessagePort;
}

/** Who is told of the threads. */
interface Listener {
  loads(loads: Load[]): void;
  /** What comes from this port is why a thread broke. Whoever computes may be waiting for that thread, for ever. */
  watch(port: MessagePort): void;
}

/** From a thread's worker, before it waits for work: what it has loaded, or why it could not. */
export type ThreadAnswer = { loads: Load[] } | { error: string };

/** More threads have nothing to share in networks of this size. */
const most = 8;

/** How many threads the core can have here; 0 where the browser lacks something that they need. */
export async function threadCount(): Promise<number> {
  // `waitAsync` wakes what waits for a promise; without it wasm-bindgen starts a worker that the policy refuses.
  const canShare = globalThis.crossOriginIsolated && 'waitAsync' in Atomics && (await threads());
  return canShare && (await relaxedSimd()) ? Math.min(navigator.hardwareConcurrency || 1, most) : 0;
}

/** Gives the core in this worker `count` threads, this one counted. */
export async function startThreads(
  core: ThreadedCore,
  address: string,
  count: number,
  listener: Listener,
): Promise<void> {
  const [module, memory] = core.shared();
  const others = Array.from({ length: count - 1 }, () => {
    const { port1: port, port2 } = new MessageChannel();
    listener.watch(port2);
    return startOne({ address, module, memory, port });
  });
  for (const loads of await Promise.all(others)) listener.loads(loads);
  core.startThreads(count);
}

function startOne(start: ThreadStart): Promise<Load[]> {
  const worker = new Worker(new URL('./thread.ts', import.meta.url), { type: 'module' });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<ThreadAnswer>) =>
      'loads' in data ? resolve(data.loads) : reject(new Error(data.error));
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(start, [start.port]);
  });
}
