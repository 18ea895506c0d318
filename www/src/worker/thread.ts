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

scope.onmessage = async ({ data: { address, module, memory, port } }) => {
  let core: ThreadedCore;
  try {
    core = await import(/* @vite-ignore */ address);
    await core.default({ module_or_path: module, memory });
  } catch (error) {
    scope.postMessage({ error: String(error) });
    return;
  }
  scope.postMessage({ loads: loadsSoFar() });
  try {
    core.joinThreads();
  } catch (error) {
    port.postMessage(error instanceof Error ? error.message : String(error));
  }
};
