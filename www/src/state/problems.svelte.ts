// What went wrong and has not been dismissed, by the part of the page that tells it.
import type { Failure } from '../worker/protocol';

export type Area = 'core' | 'networks' | 'data' | 'run';

export interface Problem extends Pick<Failure, 'message' | 'hint'> {
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
  add(area: Area, { message, hint }: Pick<Failure, 'message' | 'hint'>): void {
    const isKnown = this.#list.some((known) => known.area === area && known.message === message);
    if (isKnown) return;
    this.#list = [...this.#list, { id: ++this.#lastId, area, message, ...(hint ? { hint } : {}) }];
  }

  dismiss(id: number): void {
    this.#list = this.#list.filter((problem) => problem.id !== id);
  }

  /** Forgets the problems of one area, or all. */
  clear(area?: Area): void {
    this.#list = area ? this.#list.filter((problem) => problem.area !== area) : [];
  }
}
