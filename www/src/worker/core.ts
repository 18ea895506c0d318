// The surface of the compute core, whose types are generated from Rust.
export type * from '../../../pkg/cpu/graftlab.js';
export type Core = typeof import('../../../pkg/cpu/graftlab.js');

/** What decodes image files. */
export type Decoder = typeof import('../../../pkg/decoder/decoder.js');
export type Decode = Decoder['decode'];

/** The core with what only the artifact with threads has. */
export type ThreadedCore = Core & {
  /** The module and its memory, for `default` in another worker. */
  shared(): [WebAssembly.Module, WebAssembly.Memory];
  /** Makes this worker and the others, `count` in all, the threads that share the work. */
  startThreads(count: number): void;
  /** Works as one of the threads, for ever. */
  joinThreads(): void;
};
