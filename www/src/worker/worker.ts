// The compute worker. Everything that takes time happens here.
import type { Surroundings } from './backend';
import type { Core, Decoder, ThreadedCore } from './core';
import { CoreFailure } from './failure';
import { createHandler } from './handler';
import { type Load, watchLoads } from './loads';
import { watchForLostGpu } from './lost-gpu';
import { outsideAnswer } from './outside';
import type { FromWorker, ToWorker } from './protocol';
import { startThreads, threadCount } from './threads';

/** The part of a dedicated worker's global scope that is used; the page's types don't know it. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker, transfer: Transferable[]): void;
  addEventListener(type: 'unhandledrejection', listener: (event: PromiseRejectionEvent) => void): void;
}

const scope = globalThis as unknown as WorkerScope;

const handle = createHandler({
  send: (message, transfer = []) => scope.postMessage(message, transfer),
  surroundings,
  tryOutside: outsideAnswer,
});

const tellLoads = (loads: Load[]) => scope.postMessage({ id: null, kind: 'loads', loads }, []);
watchLoads(tellLoads);
const watch = (port: MessagePort) => scope.postMessage({ id: null, kind: 'thread', port }, [port]);

scope.onmessage = ({ data }) => handle(data);

/** As an uncaught error it reaches the page, which then replaces this worker. */
const giveUp = (error: unknown) =>
  setTimeout(() => {
    throw error;
  });

// A trap inside the core's own tasks leaves the request waiting for ever, and so does a lost GPU.
scope.addEventListener('unhandledrejection', ({ reason }) => giveUp(reason));
watchForLostGpu((message) => giveUp(new Error(message)));

function surroundings(base: string): Surroundings {
  return {
    threads: threadCount,
    gpu: navigator.gpu,
    async artifactStatus() {
      const response = await fetch(new URL('pkg/status.json', base), { cache: 'no-store' });
      if (!response.ok) return {};
      return response.json().catch(() => ({}));
    },
    async loadCore(artifact, threads = 1) {
      const address = new URL(`pkg/${artifact}/graftlab.js`, base).href;
      return orMissing('The compute core', async () => {
        const core = (await import(/* @vite-ignore */ address)) as Core;
        await core.default();
        if (artifact === 'threads')
          await startThreads(core as ThreadedCore, address, threads, { loads: tellLoads, watch });
        return core;
      });
    },
    async loadDecoder() {
      const address = new URL('pkg/decoder/decoder.js', base).href;
      return orMissing('The image decoder', async () => {
        const decoder = (await import(/* @vite-ignore */ address)) as Decoder;
        await decoder.default();
        return decoder.decode;
      });
    },
  };
}

async function orMissing<T>(what: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const message = `${what} could not be loaded: ${error instanceof Error ? error.message : error}`;
    const hint = 'Reload the page. If this stays, the file pkg/ of this site is missing or damaged.';
    throw new CoreFailure({ code: 'core_missing', message, hint });
  }
}
