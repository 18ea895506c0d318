// Keeps what is loaded and what has been run in this browser, and as files.
import { save } from '../charts/picture';
import { language } from '../text/language.svelte';
import type { Lab, SavedLab } from './lab.svelte';
import { NotAProject, packProject, unpackProject } from './project-file';
import { Run } from './run.svelte';
import { labelOf } from './run-network';
import { entryOf, type RunEntry, Store } from './store';

/**
 * `elsewhere`: another tab keeps. `refused`: the browser does not let us. `full`: it has no more room. `forgotten`:
 * someone has asked for that.
 */
export type Keeping = 'opening' | 'kept' | 'keeping' | 'elsewhere' | 'refused' | 'full' | 'forgotten';

/** Milliseconds after the last change. */
const pause = 400;

export class Project {
  keeping = $state<Keeping>('opening');
  /** Past runs, newest first. */
  entries = $state.raw<RunEntry[]>([]);
  /** What was there when the page was opened. */
  restored = $state(false);
  readonly #lab: Lab;
  /** Runs of this tab, also where nothing can be kept. */
  readonly #own = new Map<number, Run>();
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
      this.#store = await Store.open(place);
      if (!(await onlyTab(place))) {
        this.#store = null;
        this.keeping = 'elsewhere';
        return;
      }
      this.entries = await this.#store.entries();
      const saved = await this.#store.lab();
      if (saved && (saved.networks.length > 0 || saved.images) && this.#isEmpty) {
        this.restored = await this.#restore(saved);
        const newest = this.entries[0] && (await this.find(this.entries[0].startedAt));
        if (newest) this.#lab.show(newest);
      }
      this.keeping = 'kept';
    } catch {
      this.#store = null;
      this.keeping = 'refused';
    }
  }

  /** To be called after every change of what is loaded or chosen. */
  changed(): void {
    if (!this.#store || this.keeping === 'opening' || this.#lab.busy || this.#holds) return;
    this.#cancel();
    this.keeping = 'keeping';
    this.#timer = setTimeout(() => this.#write((store) => store.keepLab(this.#lab.saved())), pause);
  }

  /** To be called when a run has left a network. */
  async add(run: Run): Promise<void> {
    const saved = run.saved();
    if (!saved || this.#own.has(run.startedAt)) return;
    this.#own.set(run.startedAt, run);
    this.entries = [entryOf(saved), ...this.entries.filter(({ startedAt }) => startedAt !== run.startedAt)];
    await this.#write((store) => store.keepRun(saved));
  }

  async find(startedAt: number): Promise<Run | null> {
    const own = this.#own.get(startedAt);
    if (own) return own;
    const saved = await this.#store?.run(startedAt);
    if (!saved) return null;
    const run = Run.restored(saved);
    this.#own.set(startedAt, run);
    return run;
  }

  async forget(startedAt: number): Promise<void> {
    this.entries = this.entries.filter((entry) => entry.startedAt !== startedAt);
    this.#own.delete(startedAt);
    await this.#write((store) => store.forgetRun(startedAt));
  }

  /** Everything as one zip. */
  async saveFile(): Promise<void> {
    const found = await Promise.all(this.entries.map(({ startedAt }) => this.find(startedAt)));
    const runs = found.flatMap((run) => run?.saved() ?? []);
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
      const newest = runs[0] && (await this.find(runs[0].startedAt));
      if (newest) this.#lab.show(newest);
    } catch (error) {
      if (!(error instanceof NotAProject)) throw error;
      this.#lab.problems.add('networks', { message: notProject, hint: notProjectHint });
    }
  }

  /** Forgets everything that this browser keeps, and keeps nothing from then on; what is on the page stays on it. */
  async forgetAll(): Promise<void> {
    this.#cancel();
    this.entries = [];
    this.#own.clear();
    await this.#write((store) => store.forgetAll());
    if (this.keeping !== 'kept') return;
    this.#store = null;
    this.keeping = 'forgotten';
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

  async #write(work: (store: Store) => Promise<void>): Promise<void> {
    if (!this.#store) return;
    this.keeping = 'keeping';
    try {
      await work(this.#store);
      this.keeping = 'kept';
    } catch {
      this.keeping = 'full';
    }
  }
}

/** Whether no other tab of the lab keeps; if so, this one does until it is closed. */
function onlyTab(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      // Held for as long as the tab lives.
      return lock ? new Promise(() => {}) : undefined;
    });
  });
}
