// A core that computes nothing, for tests and for work on the page without the WebAssembly build.
// It tells the story of a run in the core's own words. Never part of the page that is built.
import * as results from './results';

export { pace, Session } from './session';

const settings = (imagePasses: number, finalists: number) => ({
  budget: 0.42,
  selector: 'matching' as const,
  seed: 0,
  use_labels: true,
  search: { calibration_images: 512, ridge_rows_per_channel: 16, finalists, finalist_image_passes: 4096 },
  train: { image_passes: imagePasses, batch_size: 64, learning_rate: 3e-3 },
});

export const defaultSettings = (quick: boolean) => (quick ? settings(4_000, 1) : settings(50_000, 4));
export const selectorNames = () => ['matching', 'share-all', 'fixed-depth', 'random'];
export const version = () => results.version;
export default async function init() {}
