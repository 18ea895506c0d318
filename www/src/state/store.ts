// What this browser keeps: what is loaded, and past runs.
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
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
  lab: { key: 'now'; value: SavedLab };
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
    fewer: report.cost.macs.originals / report.cost.macs.merged,
    worstDropPoints: report.worst_drop_points,
    isJudged: report.tasks.some(({ test }) => test.merged != null),
    stopped: report.stopped,
  };
}

export class Store {
  readonly #database: IDBPDatabase<Schema>;

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

  lab(): Promise<SavedLab | undefined> {
    return this.#database.get('lab', 'now');
  }

  async keepLab(lab: SavedLab): Promise<void> {
    await this.#database.put('lab', lab, 'now');
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
  }
}
