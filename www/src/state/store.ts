// What this browser keeps: what is loaded, and past runs.
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { isJudged, timesFewer } from '../report/summary';
import type { SavedLab } from './lab.svelte';
import type { SavedRun } from './run.svelte';

/** A run as a list shows it. */
export interface RunEntry {
  /** When it was started, in milliseconds since 1970. */
  startedAt: number;
  tasks: string[];
  settings: SavedRun['settings'];
  device: string;
  seconds: number;
  /** How many times fewer MACs. */
  fewer: number;
  worstDropPoints: number;
  isJudged: boolean;
  stopped: boolean;
}

interface Schema extends DBSchema {
  lab: { key: keyof SavedLab; value: SavedLab[keyof SavedLab] };
  entries: { key: number; value: RunEntry };
  runs: { key: number; value: SavedRun };
}

/** Runs that are kept; beyond them the oldest goes. */
const mostRuns = 30;

export function entryOf({ startedAt, settings, device, outcome: { report } }: SavedRun): RunEntry {
  return {
    ...{ startedAt, settings, device },
    tasks: report.tasks.map(({ name }) => name),
    seconds: report.seconds.total,
    fewer: timesFewer(report),
    worstDropPoints: report.worst_drop_points,
    isJudged: isJudged(report),
    stopped: report.stopped,
  };
}

const parts = ['networks', 'images', 'choices'] as const;

const sameNetworks = (a: SavedLab['networks'], b: SavedLab['networks']) =>
  a.length === b.length &&
  a.every(({ slot, file, options }, index) => {
    const other = b[index];
    return slot === other?.slot && file === other.file && options === other.options;
  });

export class Store {
  readonly #database: IDBPDatabase<Schema>;
  /** What is kept now: large files are written once, not with every change of a setting. */
  #kept: Partial<SavedLab> = {};

  private constructor(database: IDBPDatabase<Schema>) {
    this.#database = database;
  }

  /** Fails where the browser refuses storage, as in some private windows. */
  static async open(name: string): Promise<Store> {
    const database = await openDB<Schema>(name, 1, {
      upgrade(fresh) {
        fresh.createObjectStore('lab');
        fresh.createObjectStore('entries', { keyPath: 'startedAt' });
        fresh.createObjectStore('runs', { keyPath: 'startedAt' });
      },
    });
    return new Store(database);
  }

  async lab(): Promise<SavedLab | null> {
    const { store, done } = this.#database.transaction('lab');
    const [networks, images, choices] = await Promise.all(parts.map((part) => store.get(part)));
    await done;
    if (!networks || !choices) return null;
    const lab = { networks, images: images ?? null, choices } as SavedLab;
    this.#kept = lab;
    return lab;
  }

  async keepLab(lab: SavedLab): Promise<void> {
    const work = this.#database.transaction('lab', 'readwrite');
    const { networks, images } = this.#kept;
    if (!networks || !sameNetworks(networks, lab.networks)) await work.store.put(lab.networks, 'networks');
    if (images === undefined || images !== lab.images) await work.store.put(lab.images, 'images');
    await work.store.put(lab.choices, 'choices');
    await work.done;
    this.#kept = lab;
  }

  /** Newest first. */
  async entries(): Promise<RunEntry[]> {
    return (await this.#database.getAll('entries')).reverse();
  }

  run(startedAt: number): Promise<SavedRun | undefined> {
    return this.#database.get('runs', startedAt);
  }

  async keepRun(run: SavedRun): Promise<void> {
    const work = this.#database.transaction(['entries', 'runs'], 'readwrite');
    const [entries, runs] = [work.objectStore('entries'), work.objectStore('runs')];
    await entries.put(entryOf(run));
    await runs.put(run);
    const known = await entries.getAllKeys();
    for (const old of known.slice(0, -mostRuns)) {
      await entries.delete(old);
      await runs.delete(old);
    }
    await work.done;
  }

  async forgetRun(startedAt: number): Promise<void> {
    const work = this.#database.transaction(['entries', 'runs'], 'readwrite');
    await work.objectStore('entries').delete(startedAt);
    await work.objectStore('runs').delete(startedAt);
    await work.done;
  }

  async forgetAll(): Promise<void> {
    for (const name of ['lab', 'entries', 'runs'] as const) await this.#database.clear(name);
    this.#kept = {};
  }
}
