// The fake core's session: it takes files by their first byte, and tells a run's events at an even pace.
import type {
  Crew,
  DataCard,
  Event,
  JudgedPlan,
  NetworkCard,
  NetworkOptions,
  Outcome,
  Settings,
} from '../core';
import { failure } from './failure';
import { cardOf, known, typeface } from './networks';
import { candidates, type Found, kept, outcome, planOf, searchSteps, type Trained } from './results';

/** Milliseconds between events; tests set it to 0. */
export const pace = { milliseconds: 12 };

const stepsPerCheckpoint = 20;

/** No smaller budget is met. */
const nearestBudget = 0.127;

type OnProgress = (done: number, total: number) => void;

const pause = (factor = 1) => new Promise((resolve) => setTimeout(resolve, pace.milliseconds * factor));

async function readImages(count: number, onProgress: OnProgress): Promise<void> {
  for (let part = 1; part <= 10; part++) {
    await pause(6);
    onProgress(Math.round((count * part) / 10), count);
  }
}

export class Session {
  readonly device: string;
  #cards: NetworkCard[] = [];
  #data: DataCard | null = null;
  #stop = false;
  #rests = false;
  #checkpointWanted = false;

  private constructor(backend: string) {
    this.device = backend === 'cpu' ? 'CPU (SIMD)' : 'WebGPU: fake adapter';
  }

  static async create(backend: string): Promise<Session> {
    await pause(20);
    if (backend === 'webgpu') {
      const message = 'The self-test failed: conv2d differs from the CPU by 0.31.';
      throw failure('self_test', message, 'Update the browser or the graphics driver, or stay on the CPU.');
    }
    return new Session(backend);
  }

  /** The fake weights of a network are in a file of its name. */
  externalFiles(fileName: string, bytes: Uint8Array): string[] {
    return bytes[1] === 9 ? [fileName.replace(/\.onnx$/, '.data')] : [];
  }

  withExternalFiles(_fileName: string, _bytes: Uint8Array, _files: { path: string }[]): Uint8Array {
    return new Uint8Array([8, 1, 2]);
  }

  addNetwork(fileName: string, bytes: Uint8Array, options: NetworkOptions | undefined): NetworkCard {
    // An ONNX file starts with the field `ir_version`.
    if (bytes[0] !== 8) {
      const hint = 'Export the network again, for example by torch.onnx.export.';
      throw failure('not_onnx', `${fileName} is not an ONNX file.`, hint);
    }
    if (bytes[1] === 9)
      throw failure('bad_network', 'weights are in another file', 'Give both files at once.');
    const name = fileName.replace(/\.onnx$/, '');
    const task = known[name] ? name : options?.task;
    if (!task) {
      const hint = 'Say what it tells apart and how its images are scaled.';
      throw failure('needs_options', `${fileName} says nothing of its task.`, hint);
    }
    if (this.#cards.some((card) => card.tasks[0]?.name === task)) {
      const message = `Two networks have the task “${task}”.`;
      throw failure('same_task', message, 'Rename the task of one of them, or leave it out.');
    }
    const card = cardOf(name, task, known[name] ?? { ...typeface, classes: options?.classes ?? [] });
    this.#cards.push(card);
    return card;
  }

  bench() {
    const work = async () => 0.5;
    return { forward: work, step: work, free: () => {} };
  }

  removeNetwork(index: number): void {
    this.#cards.splice(index, 1);
  }

  async loadZip(bytes: Uint8Array, onProgress: OnProgress): Promise<DataCard> {
    if (bytes[0] !== 0x50)
      throw failure('not_zip', 'The file is not a zip archive.', 'Pack the images again.');
    if (bytes.length < 100) {
      const hint = 'Put PNG, JPEG, WebP, BMP or GIF files into it, with labels.csv if they are labelled.';
      throw failure('no_images', 'There is no image in the zip.', hint);
    }
    await readImages(12_400, onProgress);
    return this.#keep(12_400);
  }

  async loadFiles(files: unknown[], onProgress: OnProgress): Promise<DataCard> {
    await readImages(files.length, onProgress);
    return this.#keep(files.length);
  }

  async dataCard(): Promise<DataCard> {
    if (!this.#data) throw failure('no_data', 'There are no images yet.', 'Load a zip or a folder.');
    return this.#keep(this.#data.images);
  }

  #keep(images: number): DataCard {
    const part = (share: number) => Math.round(images * share);
    const tasks = this.#cards.map((card, index) => {
      const classes = card.tasks[0]!.classes;
      const labelled = index === 0 ? images : images - 40 * index;
      const per_class = classes.map((_, i) =>
        Math.round((labelled / classes.length) * (0.9 + 0.2 * ((i * 7) % 5) * 0.25)),
      );
      return { name: card.tasks[0]!.name, classes, labelled, per_class };
    });
    this.#data = {
      images,
      channels: 1,
      height: 32,
      width: 32,
      tasks,
      train: part(0.6),
      architecture: part(0.12),
      validation: part(0.12),
      test: images - part(0.6) - 2 * part(0.12),
      skipped: [
        { path: 'glyphs/0412.png', reason: 'It does not decode: unexpected end of file.' },
        { path: 'notes.txt', reason: 'It is not an image.' },
      ],
      unused_tasks: ['writer'],
    };
    return this.#data;
  }

  async judge(errand: string): Promise<number> {
    if (!this.#data) throw failure('no_data', 'There are no images yet.', 'Load a zip or a folder.');
    await pause();
    return dropOf(JSON.parse(errand));
  }

  cancel(): void {
    this.#stop = true;
    this.#rests = false;
  }

  keepCheckpoint(): void {
    this.#checkpointWanted = true;
  }

  pause(paused: boolean): void {
    this.#rests = paused;
    if (paused) this.#checkpointWanted = true;
  }

  async run(
    settings: Settings,
    onEvent: (event: Event) => void,
    onCheckpoint: (checkpoint: Uint8Array) => void,
    resume?: Uint8Array,
    crew?: Crew,
  ): Promise<Outcome> {
    this.#stop = false;
    this.#rests = false;
    const before = resume ? kept.read(resume, settings) : [];
    const data = this.#data;
    if (!data) throw failure('no_data', 'There are no images yet.', 'Load a zip or a folder.');
    if (this.#cards.length < 2) {
      throw failure('too_few', 'Joining needs two networks or more.', 'Add another network.');
    }
    const budget = settings.budget ?? 1;
    if (budget < nearestBudget) {
      const message = `No plan is as cheap as ${budget}.`;
      const hint = `The nearest budget that a plan can meet is ${nearestBudget}.`;
      throw failure('budget_out_of_reach', message, hint, { nearestBudget });
    }
    const started = Date.now();
    await this.#teachers(onEvent);
    await this.#score(onEvent);
    const found = await this.#search(settings, onEvent, crew);
    const keep = (curve: Trained) => onCheckpoint(kept.write(curve, settings));
    const curve = await this.#distil(settings, onEvent, before, keep);
    for (const phase of ['evaluate', 'export'] as const) {
      onEvent({ kind: 'phase_started', phase });
      await pause(20);
    }
    const seconds = (Date.now() - started) / 1000;
    return outcome(settings, this.#cards, data, found, curve, this.device, seconds);
  }

  #checkStop(): void {
    if (!this.#stop) return;
    const hint = 'Run it again, and stop it while it distils: then the network trained so far is kept.';
    throw failure('cancelled', 'The run was stopped before there was a network.', hint);
  }

  async #teachers(onEvent: (event: Event) => void): Promise<void> {
    onEvent({ kind: 'phase_started', phase: 'teachers' });
    for (let done = 1; done <= 20; done++) {
      await pause(2);
      this.#checkStop();
      onEvent({ kind: 'progress', phase: 'teachers', done, total: 20, seconds_left: (20 - done) * 0.1 });
    }
  }

  async #score(onEvent: (event: Event) => void): Promise<void> {
    onEvent({ kind: 'phase_started', phase: 'score' });
    const cells = candidates(this.#cards);
    for (const [index, cell] of cells.entries()) {
      if (index % 3 === 0) await pause(0.4);
      this.#checkStop();
      onEvent({ kind: 'candidate_scored', ...cell });
      const seconds_left = (cells.length - index) * 0.02;
      onEvent({ kind: 'progress', phase: 'score', done: index + 1, total: cells.length, seconds_left });
    }
  }

  async #search(settings: Settings, onEvent: (event: Event) => void, crew?: Crew): Promise<Found> {
    onEvent({ kind: 'phase_started', phase: 'search' });
    const progress = (done: number, total: number) =>
      onEvent({ kind: 'progress', phase: 'search', done, total, seconds_left: (total - done) * 0.1 });
    const { finalists = 1, finalist_rounds = 1, finalist_image_passes = 1 } = settings.search ?? {};
    const steps = settings.selector === 'differentiable' ? searchSteps(this.#cards) : [];
    for (const step of steps) {
      await pause(6);
      this.#checkStop();
      progress(step.step, step.steps);
      onEvent({ kind: 'search_step', step });
    }
    const judged: JudgedPlan[] = [];
    let left = Array.from({ length: finalists }, (_, kept) => ({ plan: planOf(this.#cards, kept), kept }));
    for (let round = 0; round < finalist_rounds; round++) {
      for (const { plan, kept } of left) {
        await pause(30);
        this.#checkStop();
        const image_passes = finalist_image_passes >> (finalist_rounds - 1 - round);
        const here = dropOf({ kept, round });
        // Others judge every second plan, as far as they can.
        const away = crew?.size && kept % 2 === 1;
        const errand = JSON.stringify({ kept, round });
        const worst_drop_points = away ? await crew.send(errand).catch(() => here) : here;
        judged.push({ plan, image_passes, worst_drop_points });
        onEvent({ kind: 'plan_judged', plan, image_passes, worst_drop_points });
      }
      left = left
        .toSorted((a, b) => ((a.kept * 5) % 8) - ((b.kept * 5) % 8))
        .slice(0, Math.ceil(left.length / 2));
    }
    const plan = left[0]?.plan ?? planOf(this.#cards, 0);
    onEvent({ kind: 'plan_chosen', plan });
    return { plan, judged, search_steps: steps };
  }

  /** As in the core, what is asked to rest makes one more step. */
  async #turn(): Promise<void> {
    if (!this.#rests) return void (await pause());
    while (this.#rests) await pause();
  }

  async #distil(
    settings: Settings,
    onEvent: (event: Event) => void,
    before: Trained,
    keep: (curve: Trained) => void,
  ): Promise<Trained> {
    onEvent({ kind: 'phase_started', phase: 'distil' });
    const { image_passes: passes = 0, batch_size = 64, learning_rate: peak = 0 } = settings.train ?? {};
    const steps = Math.ceil(passes / batch_size);
    const curve = [...before];
    for (let step = before.length + 1; step <= steps && !this.#stop; step++) {
      await this.#turn();
      const done = step / steps;
      const noise = 1 + 0.12 * Math.sin(step * 12.9898) * Math.cos(step * 4.1);
      const task_losses = this.#cards.map(
        (_, t) => (0.12 + 0.1 * t + (2.6 - t * 0.5) * Math.exp(-9 * done)) * noise,
      );
      const loss = task_losses.reduce((a, b) => a + b, 0);
      const image_passes = step * batch_size;
      const learning_rate = peak * Math.sin(Math.PI * Math.min(1, done + 0.1));
      onEvent({
        kind: 'step',
        step,
        steps,
        image_passes,
        loss,
        task_losses,
        learning_rate,
        images_per_second: 5300,
      });
      curve.push({ step, image_passes, loss, task_losses });
      if (step % Math.ceil(steps / 12) === 0 || step === steps) {
        const teacher = this.#cards.map((card) => known[card.name]?.accuracy ?? 0.9);
        const student = teacher.map((value, t) => value - (0.3 - t * 0.08) * Math.exp(-5 * done) - 0.004);
        onEvent({ kind: 'validated', step, student, teacher });
      }
      if (this.#checkpointWanted || step % stepsPerCheckpoint === 0) keep(curve);
      this.#checkpointWanted = false;
    }
    return curve;
  }
}

function dropOf({ kept, round }: { kept: number; round: number }): number {
  return (3 + ((kept * 5) % 8)) / (round + 1);
}
