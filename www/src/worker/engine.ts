// The core as the page sees it. Remembers what was loaded, so that a new worker can be given it again.
import { WorkerClient, type WorkerLike } from './client';
import type {
  Answers,
  Asked,
  DataCard,
  NetworkCard,
  NetworkOptions,
  Outcome,
  Pictures,
  Event as RunEvent,
  Settings,
} from './core';
import { Crew, crewSize } from './crew';
import { CoreFailure, isDeviceFault, toFailure } from './failure';
import type { Load } from './loads';
import type {
  BackendInUse,
  BackendWish,
  Failure,
  LoadProgress,
  NamedFile,
  OutsideAnswer,
  Timings,
  Value,
} from './protocol';

interface LoadedNetwork {
  file: NamedFile;
  options?: NetworkOptions;
}

/** How many workers judge beside the run's own, by what the browser tells of the machine. */
const helpers = (imageBytes: number) => {
  const { hardwareConcurrency, deviceMemory } = navigator as Navigator & { deviceMemory?: number };
  return crewSize(hardwareConcurrency ?? 1, deviceMemory, imageBytes);
};

type OnProgress = (progress: LoadProgress) => void;

export type LoadedData = { zip: NamedFile } | { files: NamedFile[] };

export interface EngineListener {
  /** The core is being started. */
  opening(): void;
  /** A core is ready, with everything in it that had been loaded. */
  opened(backend: BackendInUse): void;
  /** No core could be started. */
  unavailable(failure: Failure): void;
  /** The core broke; a new one is on its way. */
  broke(failure: Failure): void;
  /** A worker has asked the server for something. */
  loads(loads: Load[]): void;
  /** All workers have loaded what they need: nothing more is asked of the server. */
  complete(): void;
}

export class Engine {
  readonly #client: WorkerClient;
  readonly #base: string;
  readonly #listener: EngineListener;
  #networks: LoadedNetwork[] = [];
  #data: LoadedData | null = null;
  /** Of the pixels that a core holds. */
  #imageBytes = 0;
  #inUse: BackendInUse | null = null;
  #ready: Promise<void> | null = null;
  #run: number | null = null;
  /** A run that still waits for the core and the other workers. */
  #starting: { stopped: boolean } | null = null;
  /** The merged network that the worker has been given last. */
  #merged: Uint8Array | null = null;
  readonly #make: () => WorkerLike;
  readonly #crewSize: (imageBytes: number) => number;
  #crew: Crew | null = null;

  constructor(
    make: () => WorkerLike,
    base: string,
    listener: EngineListener,
    crewSize: (imageBytes: number) => number = () => 0,
  ) {
    this.#make = make;
    this.#crewSize = crewSize;
    this.#base = base;
    this.#listener = listener;
    this.#client = new WorkerClient(
      make,
      (failure) => this.#recover(failure),
      (loads) => listener.loads(loads),
    );
  }

  /** Starts the core on a backend, in a new worker, and gives it everything that is loaded. */
  open(wish: BackendWish): void {
    this.#open(wish);
  }

  /** A network as one file, with weights that lie in files beside it. */
  async gather(file: NamedFile, beside: NamedFile[]): Promise<Value<'gather'>> {
    await this.#ready;
    return this.#client.call('gather', { file, beside });
  }

  async addNetwork(file: NamedFile, options?: NetworkOptions): Promise<NetworkCard> {
    await this.#ready;
    const loaded: LoadedNetwork = options ? { file, options } : { file };
    const card = await this.#client.call('add_network', loaded);
    this.#merged = null;
    this.#networks.push(loaded);
    this.#dismissCrew();
    return card;
  }

  async removeNetwork(index: number): Promise<void> {
    await this.#ready;
    await this.#client.call('remove_network', { index });
    this.#merged = null;
    this.#networks.splice(index, 1);
    this.#dismissCrew();
  }

  loadZip(zip: NamedFile, onProgress: OnProgress): Promise<DataCard> {
    return this.#load({ zip }, onProgress);
  }

  loadFiles(files: NamedFile[], onProgress: OnProgress): Promise<DataCard> {
    return this.#load({ files }, onProgress);
  }

  /** What the images that are loaded hold for the networks that are there now. */
  dataCard(): Promise<DataCard> {
    return this.#client.call('data_card', {});
  }

  /**
   * Calls other workers for the run to come, unless they are there: to be done as soon as there is something to run, for during
   * the run nothing is asked of the server.
   */
  callCrew(): void {
    const data = this.#data;
    // One GPU has enough to do with one worker.
    const inUse = this.#inUse;
    const size = this.#crewSize(this.#imageBytes);
    if (this.#crew || size === 0 || inUse?.backend !== 'cpu') return;
    if (!data || this.#networks.length < 2) return;
    const supplies = { networks: [...this.#networks], load: (client: WorkerClient) => sendTo(client, data) };
    const onLoads = (loads: Load[]) => this.#listener.loads(loads);
    this.#crew = new Crew(this.#make, this.#base, inUse.artifact, size, supplies, onLoads);
    void this.#crew.opened.then(() => this.#listener.complete());
  }

  /** Runs to the outcome, from the beginning or from a checkpoint. */
  async run(
    settings: Settings,
    onEvent: (event: RunEvent) => void,
    onCheckpoint: (checkpoint: Uint8Array) => void,
    resume?: Uint8Array,
  ): Promise<Outcome> {
    const crew = await this.#gatherCrew();
    const args = { settings, crew: crew?.size ?? 0, ...(resume && { resume }) };
    const outcome = this.#client.call('run', args, (news) => {
      if (news.kind === 'checkpoint') onCheckpoint(news.checkpoint);
      else if (news.kind === 'errand') void this.#judge(outcome.id, crew, news.number, news.errand);
      else onEvent(news);
    });
    this.#run = outcome.id;
    try {
      return await outcome;
    } finally {
      this.#run = null;
      crew?.abandon();
    }
  }

  /** Asks the run to end early and give the network as it is. */
  stop(): void {
    if (this.#starting) this.#starting.stopped = true;
    if (this.#run === null) return;
    this.#client.urge({ id: this.#run, method: 'cancel' });
    this.#crew?.abandon();
  }

  /** Lets the run rest, once it has made a checkpoint, or go on. */
  pause(paused: boolean): void {
    if (this.#run !== null) this.#client.urge({ id: this.#run, method: 'pause', paused });
  }

  /** Asks the run for a checkpoint as soon as it can make one. */
  keepCheckpoint(): void {
    if (this.#run !== null) this.#client.urge({ id: this.#run, method: 'keep_checkpoint' });
  }

  /** Loaded images by their index. */
  async pictures(indices: number[]): Promise<Pictures> {
    await this.#ready;
    return this.#client.call('pictures', { indices });
  }

  /** What the loaded networks and a merged one, an ONNX file, answer on the test images. */
  async answers(merged: Uint8Array, onProgress: OnProgress): Promise<Answers> {
    await this.#compareWith(merged);
    return this.#client.call('answers', {}, onProgress);
  }

  /** What they say of one image. */
  async ask(merged: Uint8Array, image: Blob): Promise<Asked> {
    await this.#compareWith(merged);
    return this.#client.call('ask', { image });
  }

  async #compareWith(merged: Uint8Array): Promise<void> {
    await this.#ready;
    if (this.#merged === merged) return;
    await this.#client.call('compare_with', { merged });
    this.#merged = merged;
  }

  /** How long a network takes on the backend in use. */
  async benchmark(file: NamedFile): Promise<Timings> {
    await this.#ready;
    return this.#client.call('benchmark', { file });
  }

  /** Needs only a worker, not a core. */
  async tryOutside(): Promise<OutsideAnswer> {
    return this.#client.call('try_outside', {});
  }

  async #load(data: LoadedData, onProgress: OnProgress): Promise<DataCard> {
    await this.#ready;
    const card = await this.#send(data, onProgress);
    this.#data = data;
    this.#imageBytes = card.images * card.channels * card.height * card.width;
    this.#dismissCrew();
    return card;
  }

  /** Waits for all that a run needs, unless it is stopped meanwhile. */
  async #gatherCrew(): Promise<Crew | null> {
    const starting = { stopped: false };
    this.#starting = starting;
    try {
      await this.#ready;
      const crew = this.#crew;
      await crew?.opened;
      if (starting.stopped) throw new CoreFailure({ code: 'cancelled', message: 'The run was stopped.' });
      return crew;
    } finally {
      this.#starting = null;
    }
  }

  async #judge(id: number, crew: Crew | null, number: number, errand: string): Promise<void> {
    const drop = crew ? await crew.judge(errand) : null;
    this.#client.urge({ id, method: 'errand_done', number, drop });
  }

  #dismissCrew(): void {
    this.#crew?.dismiss();
    this.#crew = null;
  }

  #send(data: LoadedData, onProgress?: OnProgress): Promise<DataCard> {
    return sendTo(this.#client, data, onProgress);
  }

  #open(wish: BackendWish, because?: Failure): void {
    this.#inUse = null;
    this.#merged = null;
    this.#client.replace();
    this.#dismissCrew();
    this.#listener.opening();
    const ready = this.#start(wish, because);
    this.#ready = ready;
    // Whoever needs the core next is told as well.
    ready.catch((error) => {
      if (this.#ready === ready) this.#listener.unavailable(toFailure(error));
    });
  }

  async #start(wish: BackendWish, because?: Failure): Promise<void> {
    const inUse = await this.#client.call('open', { base: this.#base, wish });
    for (const network of this.#networks) await this.#client.call('add_network', network);
    if (this.#data) await this.#send(this.#data);
    this.#inUse = because ? { ...inUse, wish: 'auto', reason: 'fault', detail: because } : inUse;
    this.#listener.opened(this.#inUse);
    this.callCrew();
  }

  #recover(failure: Failure): void {
    const before = this.#inUse;
    // A worker that breaks before its core is ready would break again.
    if (!before) return;
    this.#listener.broke(failure);
    const gpuBroke =
      isDeviceFault(failure) ||
      (before.wish === 'auto' && (before.backend === 'webgpu' || before.reason === 'fault'));
    if (gpuBroke) this.#open('cpu', before.detail ?? failure);
    else this.#open(before.wish);
  }
}

function sendTo(client: WorkerClient, data: LoadedData, onProgress?: OnProgress): Promise<DataCard> {
  return 'zip' in data
    ? client.call('load_zip', { file: data.zip }, onProgress)
    : client.call('load_files', { files: data.files }, onProgress);
}

/** The engine with the page's own workers. */
export function createEngine(listener: EngineListener): Engine {
  const make = () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  return new Engine(make, document.baseURI, listener, helpers);
}
