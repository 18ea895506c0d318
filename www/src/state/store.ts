// What this browser keeps: what is loaded, past runs, and how far a run has come that is going on.
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { isJudged, timesFewer } from '../report/summary';
import type { SavedLab } from './loaded';
import type { Checkpoint, SavedRun } from './run.svelte';

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
  lab: { key: keyof SavedLab | 'checkpoint'; value: SavedLab[keyof SavedLab] | Checkpoint };
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
  #checkpoint: Checkpoint | null = null;

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
    const { store, done } = this.#database.transaction('lab', 'readwrite');
    const { networks, images } = this.#kept;
    const isKept = {
      networks: networks && sameNetworks(networks, lab.networks),
      images: images === lab.images,
    };
    await Promise.all([
      isKept.networks || store.put(lab.networks, 'networks'),
      isKept.images || store.put(lab.images, 'images'),
      store.put(lab.choices, 'choices'),
      done,
    ]);
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
    const keep = async () => {
      await Promise.all([entries.put(entryOf(run)), runs.put(run)]);
      const known = await entries.getAllKeys();
      for (const old of known.slice(0, -mostRuns)) await Promise.all([entries.delete(old), runs.delete(old)]);
    };
    await Promise.all([keep(), work.done]);
  }

  async forgetRun(startedAt: number): Promise<void> {
    const work = this.#database.transaction(['entries', 'runs'], 'readwrite');
    const parts = ['entries', 'runs'] as const;
    await Promise.all([...parts.map((part) => work.objectStore(part).delete(startedAt)), work.done]);
  }

  /** How far the run had come that has not ended, if there is one. */
  async checkpoint(): Promise<Checkpoint | null> {
    this.#checkpoint = ((await this.#database.get('lab', 'checkpoint')) ?? null) as Checkpoint | null;
    return this.#checkpoint;
  }

  /** Keeps a checkpoint in place of the one before, which stays where that fails; null: no run has been broken off. */
  async keepCheckpoint(checkpoint: Checkpoint | null): Promise<void> {
    if (checkpoint === this.#checkpoint) return;
    if (checkpoint) await this.#database.put('lab', checkpoint, 'checkpoint');
    else await this.#database.delete('lab', 'checkpoint');
    this.#checkpoint = checkpoint;
  }

  async forgetAll(): Promise<void> {
    const names = ['lab', 'entries', 'runs'] as const;
    const work = this.#database.transaction(names, 'readwrite');
    await Promise.all([...names.map((name) => work.objectStore(name).clear()), work.done]);
    this.#kept = {};
  }
}
