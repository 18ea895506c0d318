// Everything the page knows, and everything a person can do on it.
import { language } from '../text/language.svelte';
import type { DataCard, NetworkOptions, Pictures } from '../worker/core';
import { createEngine, type Engine, type LoadedData } from '../worker/engine';
import { isHopeless, toFailure } from '../worker/failure';
import type { BackendWish, LoadProgress, NamedFile, OutsideAnswer } from '../worker/protocol';
import { Beside } from './beside.svelte';
import { carryOut } from './carry-out';
import { Choices } from './choices.svelte';
import { takeFiles } from './intake';
import { freeSlot, lineOf } from './lines';
import type { Busy, Core, LabNetwork, SavedLab, Unfinished } from './loaded';
import { MachineBench } from './machine-bench.svelte';
import { type Area, Problems } from './problems.svelte';
import { type Checkpoint, Run } from './run.svelte';
import { areSame, type RunNetwork } from './run-network';
import { listSamples, readFile, type Sample, Unreadable } from './samples';
import { Traffic } from './traffic.svelte';

export class Lab {
  core = $state.raw<Core>({ state: 'opening' });
  wish = $state<BackendWish>('auto');
  samples = $state.raw<Sample[]>([]);
  networks = $state.raw<LabNetwork[]>([]);
  unfinished = $state.raw<Unfinished[]>([]);
  data = $state.raw<DataCard | null>(null);
  /** The files behind them. */
  images = $state.raw<LoadedData | null>(null);
  busy = $state.raw<Busy | null>(null);
  /** How far the reading of images is. */
  reading = $state.raw<LoadProgress | null>(null);
  run = $state.raw<Run | null>(null);
  /** Originals and joined network on single images, once there is one. */
  beside = $state.raw<Beside | null>(null);
  /** The newest checkpoint of a run that has not come to its end. */
  checkpoint = $state.raw<Checkpoint | null>(null);
  /** Whether networks or images have changed since the run. */
  outdated = $state(false);
  /** Takes a zip that is a whole project. */
  openProject: ((zip: Blob) => Promise<void>) | null = null;
  /** How long the networks take here. */
  readonly bench: MachineBench;
  readonly problems = new Problems();
  readonly choices = new Choices();
  readonly traffic = new Traffic(globalThis.location?.origin ?? 'http://localhost');

  readonly #engine: Engine;
  readonly #onReading = (progress: LoadProgress) => {
    this.reading = progress;
  };
  #lastId = 0;
  #work: Promise<unknown> = Promise.resolve();

  constructor(makeEngine: typeof createEngine = createEngine) {
    this.#engine = makeEngine({
      opening: () => {
        this.core = { state: 'opening' };
        this.bench.clear();
      },
      opened: (inUse) => {
        this.core = { state: 'ready', inUse };
        this.wish = inUse.wish;
        this.choices.startFrom(inUse.settings);
        this.traffic.mark();
      },
      unavailable: (failure) => {
        this.core = { state: 'failed', failure };
        this.problems.add('core', failure);
      },
      loads: (loads) => this.traffic.take('worker', loads),
      complete: () => this.traffic.mark(),
      broke: () => {
        const { broke, brokeHint } = language.texts.backend;
        this.problems.add('core', { message: broke, hint: brokeHint });
      },
    });
    this.bench = new MachineBench(this.#engine);
    this.#engine.open('auto');
  }

  get running(): boolean {
    return this.run?.active ?? false;
  }

  /** Whether files may be added, removed or replaced now. */
  get locked(): boolean {
    return this.running || this.busy !== null;
  }

  /** What is still missing before a run, or null. */
  get missing(): 'core' | 'noCore' | 'networks' | 'data' | 'busy' | null {
    if (this.core.state === 'failed') return 'noCore';
    if (this.busy) return 'busy';
    if (this.networks.length < 2) return 'networks';
    if (!this.data) return 'data';
    if (this.core.state === 'opening') return 'core';
    return null;
  }

  async listSamples(): Promise<void> {
    try {
      this.samples = await listSamples();
    } catch {
      const { missing, missingHint } = language.texts.samples;
      this.problems.add('networks', { message: missing, hint: missingHint });
    }
  }

  chooseBackend(wish: BackendWish): void {
    if (this.running) return;
    this.wish = wish;
    this.problems.clear('core');
    this.#engine.open(wish);
  }

  /** Loaded images by their index. */
  pictures(indices: number[]): Promise<Pictures> {
    return this.#engine.pictures(indices);
  }

  tryOutside(): Promise<OutsideAnswer> {
    return this.#engine.tryOutside();
  }

  /** Loads a sample in place of what is there. */
  loadSample(sample: Sample): Promise<boolean> {
    return this.#doing({ what: 'sample', name: sample.name }, 'networks', async () => {
      const [data, ...networks] = await Promise.all([sample.data, ...sample.networks].map(readFile));
      this.problems.clear();
      this.unfinished = [];
      while (this.networks.length > 0) await this.#removeAt(this.networks.length - 1);
      for (const network of networks) await this.#addNetwork(network);
      this.choices.suggest({ quick: sample.quick_budget, full: sample.budget });
      await this.#loadImages({ zip: data! });
    });
  }

  /** Takes in files of any kind, as they were dropped or chosen. */
  async addFiles(files: readonly NamedFile[] | Promise<NamedFile[]>): Promise<void> {
    try {
      await takeFiles(this, await files);
    } catch (error) {
      this.problems.add('networks', toFailure(error));
    }
  }

  /** Whether the network is there now, or is being asked about. Files `beside` it that hold its weights leave the set. */
  addNetwork(given: NamedFile, options?: NetworkOptions, beside = new Set<NamedFile>()): Promise<boolean> {
    return this.#doing({ what: 'network', name: given.path }, 'networks', async () => {
      const file = await this.#withWeights(given, beside);
      try {
        await this.#addNetwork(file, options);
      } catch (error) {
        if (toFailure(error).code !== 'needs_options' || options) throw error;
        this.unfinished = [...this.unfinished, { id: ++this.#lastId, file }];
        return;
      }
      await this.#lookAgain();
    });
  }

  async #withWeights(given: NamedFile, beside: Set<NamedFile>): Promise<NamedFile> {
    if (beside.size === 0) return given;
    const { file, used } = await this.#engine.gather(given, [...beside]);
    for (const other of beside) if (used.includes(other.path)) beside.delete(other);
    return file;
  }

  /** Adds a network with what its file doesn't say. The form stays if that fails. */
  async completeNetwork({ id, file }: Unfinished, options: NetworkOptions): Promise<void> {
    this.problems.clear('networks');
    if (await this.addNetwork(file, options)) this.leaveNetwork(id);
  }

  leaveNetwork(id: number): void {
    this.unfinished = this.unfinished.filter((network) => network.id !== id);
  }

  /** Takes images in place of those that are there; `name` is that of the zip. */
  loadImages(images: LoadedData, name = ''): Promise<boolean> {
    return this.#doing({ what: 'data', name }, 'data', () => this.#loadImages(images));
  }

  removeNetwork(id: number): Promise<boolean> {
    const network = this.networks.find((known) => known.id === id);
    if (!network) return Promise.resolve(false);
    return this.#doing({ what: 'network', name: network.card.name }, 'networks', async () => {
      await this.#removeAt(this.networks.findIndex((known) => known.id === id));
      await this.#lookAgain();
    });
  }

  async start(): Promise<void> {
    if (this.missing || this.running || this.core.state !== 'ready') return;
    await this.#carryOut(new Run(this.#runNetworks, this.core.inUse.device, this.choices.settings()));
  }

  /** Whether the run that was broken off was started with what is loaded. */
  get fits(): boolean {
    return this.checkpoint !== null && this.#isLoaded(this.checkpoint.networks, this.checkpoint.images);
  }

  /** Goes on with the run that was broken off. */
  async goOn(): Promise<void> {
    const { checkpoint, core } = this;
    if (!checkpoint || !this.fits || this.missing || this.running || core.state !== 'ready') return;
    const run = Run.resumed(this.#runNetworks, core.inUse.device, checkpoint);
    await this.#carryOut(run, checkpoint.bytes);
  }

  /** Lets go of the run that was broken off. */
  discard(): void {
    this.checkpoint = null;
  }

  /** Asks the run for a checkpoint, for the page may be about to close. */
  keepCheckpoint(): void {
    if (this.running) this.#engine.keepCheckpoint();
  }

  /** Takes another budget in place of one that no plan can meet. */
  useBudget(budget: number): void {
    this.choices.budget = budget;
    this.problems.clear('run');
  }

  stop(): void {
    if (!this.running) return;
    this.run?.stop();
    this.#engine.stop();
  }

  /** Lets the run rest, or go on. */
  pause(paused: boolean): void {
    if (paused) this.run?.pause();
    else this.run?.goOn();
    this.#engine.pause(paused);
  }

  /** What is loaded and chosen. */
  saved(): SavedLab {
    const { images, choices } = this;
    const networks = this.networks.map(({ slot, file, options }) => ({ slot, file, options }));
    return { networks, images, choices: choices.saved() };
  }

  /** Takes what was kept in place of what is there. Whether all of it came back. */
  restore({ networks, images, choices }: SavedLab): Promise<boolean> {
    return this.#doing({ what: 'project', name: '' }, 'networks', async () => {
      this.problems.clear();
      this.unfinished = [];
      while (this.networks.length > 0) await this.#removeAt(this.networks.length - 1);
      for (const { file, options, slot } of networks) await this.#addNetwork(file, options, slot);
      this.choices.restore(choices);
      if (images) await this.#loadImages(images);
    });
  }

  /** Shows a run that was kept. */
  show(run: Run): void {
    if (this.running || !run.outcome) return;
    this.run = run;
    this.beside = new Beside(this.#engine, run.outcome.onnx);
    this.outdated = !this.#isLoaded(run.networks, run.outcome.report.data.images);
  }

  get #runNetworks(): RunNetwork[] {
    return this.networks.map(({ card, line }) => ({ card, line }));
  }

  /** Whether just these networks and this many images are loaded. */
  #isLoaded(networks: readonly RunNetwork[], images: number): boolean {
    return this.data?.images === images && areSame(networks, this.networks);
  }

  async #carryOut(run: Run, resume?: Uint8Array): Promise<void> {
    const images = this.data?.images ?? 0;
    const keep = (bytes: Uint8Array) => {
      this.checkpoint = run.checkpoint(bytes, images);
    };
    this.problems.clear('run');
    this.run = run;
    this.beside = null;
    this.outdated = false;
    const failure = await carryOut(this.#engine, run, keep, resume);
    if (run.outcome) this.beside = new Beside(this.#engine, run.outcome.onnx);
    const isOver = failure === null || isHopeless(failure);
    if (isOver && this.checkpoint?.startedAt === run.startedAt) this.discard();
    if (failure?.code === 'bad_checkpoint') {
      const { otherRun, otherRunHint } = language.texts.brokenOff;
      this.problems.add('run', { message: otherRun, hint: otherRunHint });
    } else if (failure && failure.code !== 'cancelled') {
      this.problems.add('run', failure);
    }
  }

  async #addNetwork(
    file: NamedFile,
    options?: NetworkOptions,
    slot = freeSlot(this.networks.map((network) => network.slot)),
  ): Promise<void> {
    const card = await this.#engine.addNetwork(file, options);
    const network = { id: ++this.#lastId, slot, line: lineOf(slot), card, file, options };
    this.networks = [...this.networks, network];
    this.outdated = true;
  }

  async #removeAt(index: number): Promise<void> {
    if (index < 0) return;
    await this.#engine.removeNetwork(index);
    if (this.networks[index]?.card.tasks[0]?.name === this.choices.base) this.choices.base = null;
    this.networks = this.networks.filter((_, at) => at !== index);
    this.outdated = true;
  }

  /** Images have the networks' size and tasks. Where they do not fit any more, they come back with networks that they fit. */
  async #lookAgain(): Promise<void> {
    if (!this.images || this.networks.length === 0) return;
    try {
      this.data = await this.#engine.dataCard();
    } catch (error) {
      this.data = null;
      this.problems.add('data', toFailure(error));
    }
  }

  async #loadImages(images: LoadedData): Promise<void> {
    this.data = await ('zip' in images
      ? this.#engine.loadZip(images.zip, this.#onReading)
      : this.#engine.loadFiles(images.files, this.#onReading));
    this.images = images;
    this.outdated = true;
    // What decodes images may have come with them.
    this.traffic.mark();
  }

  /** One thing after the other. What goes wrong becomes a problem in its area, and the answer is false. */
  #doing(busy: Busy, area: Area, work: () => Promise<void>): Promise<boolean> {
    const done = this.#work.then(async () => {
      this.busy = busy;
      try {
        await work();
        return true;
      } catch (error) {
        const { unreadable, unreadableHint } = language.texts.problem;
        if (error instanceof Unreadable)
          this.problems.add(area, { message: unreadable(error.path), hint: unreadableHint });
        else this.problems.add(area, toFailure(error));
        return false;
      } finally {
        this.busy = null;
        this.reading = null;
        this.#engine.callCrew();
      }
    });
    this.#work = done;
    return done;
  }
}
