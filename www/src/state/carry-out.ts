// Has a run computed, and takes in what it tells.
import type { Event as RunEvent } from '../worker/core';
import type { Engine } from '../worker/engine';
import { toFailure } from '../worker/failure';
import type { Failure } from '../worker/protocol';
import type { Run } from './run.svelte';

/** Runs to the end, from the beginning or from a checkpoint of the core. Answers why it failed, if it did. */
export async function carryOut(
  engine: Pick<Engine, 'run'>,
  run: Run,
  onCheckpoint: (checkpoint: Uint8Array) => void,
  resume?: Uint8Array,
): Promise<Failure | null> {
  const events = new EventBuffer((batch) => run.take(batch));
  const keep = (checkpoint: Uint8Array) => {
    // What was told before it belongs to it.
    events.flush();
    onCheckpoint(checkpoint);
  };
  try {
    const outcome = await engine.run(run.settings, (event) => events.push(event), keep, resume);
    events.flush();
    run.finish(outcome);
    return null;
  } catch (error) {
    events.flush();
    const failure = toFailure(error);
    run.fail(failure.code === 'cancelled');
    return failure;
  }
}

/** Collects events and hands them on together, so that the page is redrawn a few times a second at most. */
export class EventBuffer {
  readonly #take: (events: RunEvent[]) => void;
  readonly #milliseconds: number;
  #waiting: RunEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(take: (events: RunEvent[]) => void, milliseconds = 80) {
    this.#take = take;
    this.#milliseconds = milliseconds;
  }

  push(event: RunEvent): void {
    this.#waiting.push(event);
    this.#timer ??= setTimeout(() => this.flush(), this.#milliseconds);
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const events = this.#waiting;
    this.#waiting = [];
    if (events.length > 0) this.#take(events);
  }
}
