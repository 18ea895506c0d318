// The page's side of the worker: numbers the requests, pairs them with replies, and replaces a broken worker.
import { CoreFailure } from './failure';
import type { Load } from './loads';
import type { Args, EventOf, Failure, FromWorker, Method, ToWorker, Urge, Value } from './protocol';

/** The part of `Worker` that is used. */
export interface WorkerLike {
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  postMessage(message: ToWorker): void;
  terminate(): void;
}

interface Pending {
  resolve(value: Value<Method>): void;
  reject(error: CoreFailure): void;
  onEvent: ((event: never) => void) | undefined;
}

export class WorkerClient {
  readonly #make: () => WorkerLike;
  readonly #onFault: (failure: Failure) => void;
  readonly #onLoads: (loads: Load[]) => void;
  readonly #pending = new Map<number, Pending>();
  /** From the threads of the worker's core. */
  readonly #threads = new Set<MessagePort>();
  #worker: WorkerLike | null = null;
  #lastId = 0;

  /**
   * `onFault` is told of a broken worker after its requests were rejected; the next request starts a new one.
   * `onLoads` is told what workers ask the server for.
   */
  constructor(
    make: () => WorkerLike,
    onFault: (failure: Failure) => void,
    onLoads: (loads: Load[]) => void = () => {},
  ) {
    this.#make = make;
    this.#onFault = onFault;
    this.#onLoads = onLoads;
  }

  /** Asks the worker for something. Events of this request go to `onEvent`. */
  call<M extends Method>(
    method: M,
    args: Args<M>,
    onEvent?: (event: EventOf<M>) => void,
  ): Promise<Value<M>> & { id: number } {
    const id = ++this.#lastId;
    const reply = new Promise<Value<Method>>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, onEvent });
    });
    this.#started().postMessage({ id, method, args } as ToWorker);
    return Object.assign(reply as Promise<Value<M>>, { id });
  }

  /** Asks a run to end early, when it still answers, with what it has or with a failure; or what else can't wait. */
  urge(urge: Urge): void {
    if (this.#pending.has(urge.id)) this.#worker?.postMessage(urge);
  }

  /** Ends the worker. What was asked of it is rejected, and whatever it still sends is dropped. */
  replace(failure: Failure = { code: 'replaced', message: 'The worker was replaced.' }): void {
    if (this.#worker) {
      this.#worker.onmessage = null;
      this.#worker.onerror = null;
      this.#worker.terminate();
      this.#worker = null;
    }
    for (const port of this.#threads) port.close();
    this.#threads.clear();
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of waiting) reject(new CoreFailure(failure));
  }

  #started(): WorkerLike {
    if (this.#worker) return this.#worker;
    const worker = this.#make();
    worker.onmessage = ({ data }) => this.#receive(data);
    worker.onerror = (event) => {
      event.preventDefault?.();
      this.#break({ code: 'fault', message: event.message || 'The worker stopped unexpectedly.' });
    };
    this.#worker = worker;
    return worker;
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'loads') {
      this.#onLoads(message.loads);
      return;
    }
    if (message.kind === 'thread') {
      this.#watch(message.port);
      return;
    }
    const pending = this.#pending.get(message.id);
    // A reply to nothing that is still asked: stale.
    if (!pending) return;
    if (message.kind === 'event') {
      pending.onEvent?.(message.event as never);
    } else if (message.kind === 'fault') {
      this.#break(message.failure);
    } else {
      this.#pending.delete(message.id);
      if (message.kind === 'value') pending.resolve(message.value);
      else pending.reject(new CoreFailure(message.failure));
    }
  }

  #watch(port: MessagePort): void {
    this.#threads.add(port);
    port.onmessage = ({ data }: MessageEvent<string>) => {
      if (this.#threads.has(port)) this.#break({ code: 'fault', message: data });
    };
  }

  #break(failure: Failure): void {
    this.replace(failure);
    this.#onFault(failure);
  }
}
