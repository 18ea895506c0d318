// A core that computes nothing, for tests and for work on the page without the WebAssembly build.
// It tells the story of a run in the core's own words. Never part of the page that is built.
import type { SelectorName, Settings } from '../core';
import * as results from './results';

export { pace, Session } from './session';

const settings = (selector: SelectorName, finalists: number, imagePasses: number): Settings => ({
  budget: 0.5,
  selector,
  seed: 0,
  use_labels: true,
  search: {
    calibration_images: 512,
    finalists,
    finalist_rounds: 1,
    finalist_image_passes: 4096,
    front_budgets: 0,
    shortcuts: false,
    supernet_steps: 400,
  },
  train: { image_passes: imagePasses, batch_size: 64, learning_rate: 3e-3 },
});

export const defaultSettings = (quick: boolean): Settings =>
  quick ? settings('matching', 2, 4_000) : settings('differentiable', 8, 50_000);
export const version = () => results.version;
export const useDecoder = () => {};
export default async function init() {}
