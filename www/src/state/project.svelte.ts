// Keeps what is loaded and what has been run in this browser, and as files.
import { SvelteMap } from 'svelte/reactivity';
import { save } from '../charts/picture';
import { language } from '../text/language.svelte';
import type { Lab } from './lab.svelte';
import type { SavedLab } from './loaded';
import { NotAProject, packProject, unpackProject } from './project-file';
import { type Checkpoint, Run, type SavedRun } from './run.svelte';
import { labelOf } from './run-network';
import { entryOf, type RunEntry, Store } from './store';

/**
 * `elsewhere`: another tab keeps. `refused`: the browser does not let us. `full`: it has no more room. `failed`: it could
 * not write. `forgotten`: someone has asked for that.
 */
export type Keeping =
  | 'opening'
  | 'kept'
  | 'keeping'
  | 'elsewhere'
  | 'refused'
  | 'full'
  | 'failed'
  | 'forgotten';

type Part = 'lab' | 'runs' | 'checkpoint';

/** Milliseconds after the last change. */
const pause = 400;

export class Project {
  keeping = $state<Keeping>('opening');
  /** Past runs, newest first. */
  entries = $state.raw<RunEntry[]>([]);
  /** What was there when the page was opened. */
  restored = $state(false);
  readonly #lab: Lab;
  /** Runs of this tab that are not kept. */
  readonly #own = new Map<number, SavedRun>();
  /** What could not be kept when it was last tried, and why. */
  readonly #lost = new SvelteMap<Part, 'full' | 'failed'>();
  #store: Store | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #restoring = false;
  /** What was loaded when a project had come back only in part. */
  #partly: Pick<Lab, 'networks' | 'images'> | null = null;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** Opens what this browser keeps, and takes it up if this is the only tab. */
  async open(): Promise<void> {
    // Another copy of the lab may lie under another path of this host.
    const place = `graftlab ${new URL('./', document.baseURI).pathname}`;
    try {
      if (!(await onlyTab(place))) {
        this.keeping = 'elsewhere';
        return;
      }
      this.#store = await Store.open(place);
      await this.#list();
      const saved = await this.#store.lab();
      if (saved && (saved.networks.length > 0 || saved.images) && this.#isEmpty) {
        this.restored = await this.#restore(saved);
        const newest = this.entries[0] && (await this.find(this.entries[0].startedAt));
        if (newest) this.#lab.show(newest);
      }
      if (!this.#lab.running) this.#lab.checkpoint = await this.#store.checkpoint();
      this.keeping = 'kept';
      // What was changed meanwhile.
      this.changed();
    } catch {
      this.#store = null;
      this.keeping = 'refused';
    }
  }

  /** To be called after every change of what is loaded or chosen, and when a work on it begins and ends. */
  changed(): void {
    // While something is being loaded, a write that is due would find half of it.
    this.#cancel();
    if (!this.#store || this.keeping === 'opening' || this.#lab.busy || this.#holds) return;
    this.keeping = 'keeping';
    this.#timer = setTimeout(() => this.#write('lab', (store) => store.keepLab(this.#lab.saved())), pause);
  }

  /** To be called when a run has come further, and when it has ended. */
  async keepCheckpoint(checkpoint: Checkpoint | null): Promise<void> {
    if (this.keeping !== 'opening')
      await this.#write('checkpoint', (store) => store.keepCheckpoint(checkpoint));
  }

  /** Why a run that is going on can't be continued after the page is closed; null where it can. */
  get losesRun(): Keeping | null {
    const keepsNothing = ['elsewhere', 'refused', 'forgotten'].includes(this.keeping);
    return keepsNothing ? this.keeping : (this.#lost.get('checkpoint') ?? this.#lost.get('lab') ?? null);
  }

  /** Whether a run is lost with the tab though nobody has asked for that. */
  get hasUnkept(): boolean {
    return this.#own.size > 0 && this.keeping !== 'forgotten';
  }

  /** To be called when a run has left a network. */
  async add(run: Run): Promise<void> {
    const saved = run.saved();
    if (!saved || this.entries.some(({ startedAt }) => startedAt === run.startedAt)) return;
    this.#own.set(run.startedAt, saved);
    await this.#list();
    await this.#keepOwn();
  }

  async find(startedAt: number): Promise<Run | null> {
    const saved = await this.#find(startedAt);
    return saved ? Run.restored(saved) : null;
  }

  async forget(startedAt: number): Promise<void> {
    this.#own.delete(startedAt);
    await this.#write('runs', (store) => store.forgetRun(startedAt));
    // There may be room now for what could not be kept.
    await this.#keepOwn();
  }

  /** Everything as one zip. */
  async saveFile(): Promise<void> {
    const found = await Promise.all(this.entries.map(({ startedAt }) => this.#find(startedAt)));
    const runs = found.flatMap((run) => run ?? []);
    const names = this.#lab.networks.map(({ card }) => labelOf(card));
    save(
      `${names.join('-').replace(/[^\p{L}\p{N}-]+/gu, '_') || 'project'}.graftlab.zip`,
      await packProject({ lab: this.#lab.saved(), runs }),
    );
  }

  /** Takes a project in place of what is there. Past runs stay. */
  async openFile(zip: Blob): Promise<void> {
    const { notProject, notProjectHint } = language.texts.project;
    try {
      const { lab, runs } = await unpackProject(zip);
      await this.#restore(lab);
      for (const saved of runs.toReversed()) await this.add(Run.restored(saved));
      if (runs[0]) this.#lab.show(Run.restored(runs[0]));
    } catch (error) {
      if (!(error instanceof NotAProject)) throw error;
      this.#lab.problems.add('networks', { message: notProject, hint: notProjectHint });
    }
  }

  /** Forgets everything that this browser keeps, and keeps nothing from then on; what is on the page stays on it. */
  async forgetAll(): Promise<void> {
    const store = this.#store;
    if (!store) return;
    this.#cancel();
    // From here on nothing is written any more.
    this.#store = null;
    try {
      await store.forgetAll();
      this.keeping = 'forgotten';
      this.#own.clear();
      this.entries = [];
      if (!this.#lab.running) this.#lab.discard();
    } catch {
      this.#store = store;
      this.keeping = 'failed';
    }
  }

  get #isEmpty(): boolean {
    return this.#lab.networks.length === 0 && this.#lab.data === null && !this.#lab.busy;
  }

  /** Whether what is kept stays as it is: until someone goes on from a project that came back only in part. */
  get #holds(): boolean {
    const { networks, images } = this.#lab;
    return this.#restoring || (this.#partly?.networks === networks && this.#partly.images === images);
  }

  /** Takes a project in place of what is there. Whether all of it came back. */
  async #restore(saved: SavedLab): Promise<boolean> {
    this.#cancel();
    this.#restoring = true;
    const isWhole = await this.#lab.restore(saved);
    const { networks, images } = this.#lab;
    this.#partly = isWhole ? null : { networks, images };
    this.#restoring = false;
    this.changed();
    return isWhole;
  }

  #cancel(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #find(startedAt: number): Promise<SavedRun | undefined> {
    return this.#own.get(startedAt) ?? (await this.#store?.run(startedAt));
  }

  /** Keeps the runs of this tab, as far as there is room. */
  async #keepOwn(): Promise<void> {
    await this.#write('runs', async (store) => {
      for (const [startedAt, run] of this.#own) {
        await store.keepRun(run);
        this.#own.delete(startedAt);
      }
    });
    await this.#list();
  }

  async #list(): Promise<void> {
    const kept = (await this.#store?.entries()) ?? [];
    const own = [...this.#own.values()].map(entryOf);
    const known = new Map([...own, ...kept].map((entry) => [entry.startedAt, entry]));
    this.entries = [...known.values()].sort((a, b) => b.startedAt - a.startedAt);
  }

  async #write(part: Part, work: (store: Store) => Promise<void>): Promise<void> {
    const store = this.#store;
    if (!store) return;
    this.keeping = 'keeping';
    try {
      await work(store);
      this.#lost.delete(part);
    } catch (error) {
      const isFull = error instanceof DOMException && error.name === 'QuotaExceededError';
      this.#lost.set(part, isFull ? 'full' : 'failed');
    }
    // Meanwhile someone may have asked to forget it all.
    if (this.#store === store) this.keeping = [...this.#lost.values()][0] ?? 'kept';
  }
}

/** Whether no other tab of the lab keeps; if so, this one does until it is closed. */
function onlyTab(name: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      // Held for as long as the tab lives.
      return lock ? new Promise(() => {}) : undefined;
    });
    request.catch(reject);
  });
}
