// What went wrong and has not been dismissed, by the part of the page that tells it.
import type { Failure } from '../worker/protocol';

export type Area = 'core' | 'networks' | 'data' | 'run';

/** What is told of a failure. */
type Told = Omit<Failure, 'code'>;

export interface Problem extends Told {
  id: number;
  area: Area;
}

export class Problems {
  #list = $state.raw<Problem[]>([]);
  #lastId = 0;

  get all(): readonly Problem[] {
    return this.#list;
  }

  /** Takes in a problem, unless it is told already. */
  add(area: Area, told: Told): void {
    const isKnown = this.#list.some((known) => known.area === area && known.message === told.message);
    if (!isKnown) this.#list = [...this.#list, { ...told, id: ++this.#lastId, area }];
  }

  dismiss(id: number): void {
    this.#list = this.#list.filter((problem) => problem.id !== id);
  }

  /** Forgets the problems of one area, or all. */
  clear(area?: Area): void {
    this.#list = area ? this.#list.filter((problem) => problem.area !== area) : [];
  }
}
