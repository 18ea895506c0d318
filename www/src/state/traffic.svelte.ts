// Every request that the page and its workers have made since the page was loaded.
import type { Load } from '../worker/loads';
import { triedAddress } from '../worker/outside';

export type Asker = 'page' | 'worker';

export interface Asked extends Load {
  by: Asker;
  /** To another address than the page's own. */
  isElsewhere: boolean;
}

export class Traffic {
  requests = $state.raw<Asked[]>([]);
  /** When everything that was asked for on purpose had come. */
  #markedAt = $state(Number.POSITIVE_INFINITY);
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  get bytes(): number {
    return this.requests.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get elsewhere(): Asked[] {
    return this.requests.filter(({ isElsewhere }) => isElsewhere);
  }

  /** Requests since the last time that something was loaded on purpose. */
  get since(): number {
    return this.requests.filter(({ at }) => at > this.#markedAt).length;
  }

  take(by: Asker, loads: readonly Load[]): void {
    const asked = loads
      // What is made here never leaves, and the check's own address leads nowhere.
      .filter(({ address }) => !/^(blob|data):/.test(address) && !address.startsWith(triedAddress))
      .map((load) => ({ ...load, by, isElsewhere: !address(load).startsWith(`${this.#origin}/`) }));
    if (asked.length > 0) this.requests = [...this.requests, ...asked];
  }

  /** Counts anew from here: everything that was asked for has come. */
  mark(): void {
    this.#markedAt = Date.now();
  }
}

const address = ({ address }: Load) => address;
