// One thread of the core.
import type { ThreadedCore } from './core';
import { loadsSoFar } from './loads';
import type { ThreadAnswer, ThreadStart } from './threads';

/** The part of a dedicated worker's global scope that is used; the page's types don't know it. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<ThreadStart>) => void) | null;
  postMessage(message: ThreadAnswer): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = async ({ data: { address, module, memory } }) => {
  try {
    const core = (await import(/* @vite-ignore */ address)) as ThreadedCore;
    await core.default({ module_or_path: module, memory });
    scope.postMessage({ loads: loadsSoFar() });
    core.joinThreads();
  } catch (error) {
    scope.postMessage({ error: String(error) });
  }
};
