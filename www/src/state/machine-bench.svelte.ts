// How long the loaded networks take on this machine.
import type { Engine } from '../worker/engine';
import { toFailure } from '../worker/failure';
import type { Failure, NamedFile } from '../worker/protocol';

/** One line, named as in the table of `npm run bench -- --json`. */
export interface BenchRow {
  workload: string;
  engine: string;
  ms_median: number;
  ms_min: number;
  ms_max: number;
  runs: number;
}

export class MachineBench {
  rows = $state.raw<BenchRow[]>([]);
  running = $state(false);
  failure = $state.raw<Failure | null>(null);
  readonly #engine: Pick<Engine, 'benchmark'>;

  constructor(engine: Pick<Engine, 'benchmark'>) {
    this.#engine = engine;
  }

  /** What another device took says nothing of this one. */
  clear(): void {
    this.rows = [];
  }

  /** Times one network after the other; `engine` names what computes. */
  async run(networks: readonly { name: string; file: NamedFile }[], engine: string): Promise<void> {
    if (this.running) return;
    this.running = true;
    this.rows = [];
    this.failure = null;
    try {
      for (const { name, file } of networks) {
        const { forward, step } = await this.#engine.benchmark(file);
        const rows = [
          row(`${name}: forward pass`, engine, forward),
          row(`${name}: training step`, engine, step),
        ];
        this.rows = [...this.rows, ...rows];
      }
    } catch (error) {
      this.failure = toFailure(error);
    } finally {
      this.running = false;
    }
  }
}

function row(workload: string, engine: string, times: readonly number[]): BenchRow {
  const sorted = times.toSorted((a, b) => a - b);
  const middle = (sorted.at((sorted.length - 1) >> 1)! + sorted.at(sorted.length >> 1)!) / 2;
  const [ms_median, ms_min, ms_max] = [middle, sorted[0]!, sorted.at(-1)!].map((ms) => Number(ms.toFixed(3)));
  return { workload, engine, ms_median: ms_median!, ms_min: ms_min!, ms_max: ms_max!, runs: times.length };
}
