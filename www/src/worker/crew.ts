// Workers that judge plans during a run, beside the run's own. Each has the same networks and images, and one thread.
import { WorkerClient, type WorkerLike } from './client';
import type { Load } from './loads';
import type { Args, Artifact } from './protocol';

/** What a worker is given before it can judge. */
export interface Supplies {
  networks: Args<'add_network'>[];
  load(client: WorkerClient): Promise<unknown>;
}

interface Errand {
  errand: string;
  /** With its worst drop in points, or null where nobody can judge it. */
  done(drop: number | null): void;
}

const gib = 2 ** 30;

/**
 * How many workers a machine bears beside one, by its cores, its memory in GiB where the browser tells it, and the bytes of the
 * images, which each of them holds.
 */
export function crewSize(cores: number, memory: number | undefined, imageBytes: number): number {
  const each = Math.max(1, 0.5 + imageBytes / gib);
  return Math.max(0, Math.min(cores, 8, Math.floor((memory ?? 4) / each)) - 1);
}

export class Crew {
  readonly size: number;
  /** When all members have the core, or cannot have it: nothing more is asked of the server. */
  readonly opened: Promise<void>;
  readonly #members: WorkerClient[];
  readonly #queue: Errand[] = [];
  /** Those that members are at. */
  readonly #underway = new Set<Errand>();
  /** Members with nothing to do. */
  readonly #idle: ((errand: Errand) => void)[] = [];
  #working: number;

  constructor(
    make: () => WorkerLike,
    base: string,
    artifact: Artifact,
    size: number,
    supplies: Supplies,
    onLoads: (loads: Load[]) => void,
  ) {
    this.size = size;
    this.#working = size;
    this.#members = Array.from({ length: size }, () => new WorkerClient(make, () => {}, onLoads));
    const opening = this.#members.map((client) =>
      client.call('open', { base, wish: 'cpu', beside: artifact }),
    );
    this.opened = Promise.allSettled(opening).then(() => {});
    this.#members.forEach((client, index) => void this.#employ(client, opening[index]!, supplies));
  }

  judge(errand: string): Promise<number | null> {
    return new Promise((done) => {
      const member = this.#idle.shift();
      if (member) member({ errand, done });
      else if (this.#working === 0) done(null);
      else this.#queue.push({ errand, done });
    });
  }

  /** Gives all errands back: nobody waits for them any more. What a member is at, it ends for nothing. */
  abandon(): void {
    for (const { done } of [...this.#queue.splice(0), ...this.#underway]) done(null);
  }

  /** Ends all workers. */
  dismiss(): void {
    for (const client of this.#members) client.replace();
  }

  async #employ(client: WorkerClient, opened: Promise<unknown>, { networks, load }: Supplies): Promise<void> {
    try {
      await opened;
      for (const network of networks) await client.call('add_network', network);
      await load(client);
      for (;;) {
        const next = await this.#next();
        this.#underway.add(next);
        try {
          next.done(await client.call('judge', { errand: next.errand }));
        } catch (error) {
          next.done(null);
          throw error;
        } finally {
          this.#underway.delete(next);
        }
      }
    } catch {
      // Too little memory, perhaps. The run's own worker judges what is left over.
      client.replace();
      this.#working -= 1;
      if (this.#working === 0) for (const { done } of this.#queue.splice(0)) done(null);
    }
  }

  #next(): Promise<Errand> {
    const waiting = this.#queue.shift();
    return waiting ? Promise.resolve(waiting) : new Promise((resolve) => this.#idle.push(resolve));
  }
}
