// Originals and joined network beside each other, on single images.
import type { Answers, Asked } from '../worker/core';
import type { Engine } from '../worker/engine';
import { toFailure } from '../worker/failure';
import type { Failure, LoadProgress } from '../worker/protocol';

export class Beside {
  answers = $state.raw<Answers | null>(null);
  /** While the networks go through the test images. */
  progress = $state.raw<LoadProgress | null>(null);
  asked = $state.raw<Asked | null>(null);
  failure = $state.raw<Failure | null>(null);
  readonly #engine: Pick<Engine, 'answers' | 'ask'>;
  readonly #merged: Uint8Array;
  #asking = false;

  constructor(engine: Pick<Engine, 'answers' | 'ask'>, merged: Uint8Array) {
    this.#engine = engine;
    this.#merged = merged;
  }

  /** Lets all networks answer on the test images. */
  async compare(): Promise<void> {
    if (this.progress) return;
    this.failure = null;
    this.progress = { done: 0, total: 1 };
    try {
      this.answers = await this.#engine.answers(this.#merged, (progress) => {
        this.progress = progress;
      });
    } catch (error) {
      this.failure = toFailure(error);
    } finally {
      this.progress = null;
    }
  }

  /** Asks all networks about an image. While they are asked, further images are let go. */
  async ask(image: Blob): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    this.failure = null;
    try {
      this.asked = await this.#engine.ask(this.#merged, image);
    } catch (error) {
      this.failure = toFailure(error);
    } finally {
      this.#asking = false;
    }
  }
}
