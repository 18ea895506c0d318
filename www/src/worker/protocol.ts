// What the page and its worker say to each other. Every request has an id; its replies carry the same id.
import type {
  Answers,
  Asked,
  DataCard,
  NetworkCard,
  NetworkOptions,
  Outcome,
  Pictures,
  Event as RunEvent,
  Settings,
} from './core';
import type { Load } from './loads';

export type Backend = 'cpu' | 'webgpu';

/** The backend that the user asks for. */
export type BackendWish = 'auto' | Backend;

/** Why a backend is in use. */
export type BackendReason =
  | 'self_test_passed'
  | 'chosen'
  | 'no_webgpu'
  | 'no_adapter'
  | 'software_adapter'
  | 'no_timestamps'
  | 'building'
  | 'not_built'
  | 'self_test_failed'
  | 'fault';

/** What the core is compiled to: for every browser, with threads, with WebGPU. */
export type Artifact = 'cpu' | 'threads' | 'gpu';

export interface BackendInUse {
  backend: Backend;
  artifact: Artifact;
  wish: BackendWish;
  reason: BackendReason;
  /** What the backend that was passed over said. */
  detail?: Failure;
  device: string;
  version: string;
  /** Settings to start from, by effort. */
  settings: { quick: Settings; full: Settings };
}

/** Milliseconds of each run of a network on a batch of images. */
export interface Timings {
  forward: number[];
  /** A training step. */
  step: number[];
}

/** An error that can be shown: what was wrong, and what to do next. */
export interface Failure {
  code: string;
  message: string;
  hint?: string;
  /** With the code `budget_out_of_reach`: the smallest budget that can be met. */
  nearestBudget?: number;
}

/** Whether this worker can reach another origin. */
export type OutsideAnswer = 'refused' | 'not_refused';

/** A file of the user's. A Blob travels to the worker without being copied. */
export interface NamedFile {
  path: string;
  file: Blob;
}

/** How far the reading of images is. */
export interface LoadProgress {
  done: number;
  total: number;
}

/** What a run tells: how it goes, now and then all that it takes to go on from there, and plans for others to judge. */
export type RunNews =
  | RunEvent
  | { kind: 'checkpoint'; checkpoint: Uint8Array }
  | { kind: 'errand'; number: number; errand: string };

export interface Methods {
  open: {
    args: { base: string; wish: BackendWish; beside?: Artifact };
    value: BackendInUse;
    event: never;
  };
  add_network: {
    args: { file: NamedFile; options?: NetworkOptions | undefined };
    value: NetworkCard;
    event: never;
  };
  /** The network as one file, with the weights that lie in files beside it; and the paths of those that it needed. */
  gather: {
    args: { file: NamedFile; beside: NamedFile[] };
    value: { file: NamedFile; used: string[] };
    event: never;
  };
  remove_network: { args: { index: number }; value: null; event: never };
  load_zip: { args: { file: NamedFile }; value: DataCard; event: LoadProgress };
  /** What the images hold for the networks that are there now. */
  data_card: { args: Record<string, never>; value: DataCard; event: never };
  load_files: { args: { files: NamedFile[] }; value: DataCard; event: LoadProgress };
  /** Goes on from a checkpoint, if there is one. */
  run: { args: { settings: Settings; resume?: Uint8Array; crew: number }; value: Outcome; event: RunNews };
  /** Judges a plan for a run in another worker: its worst drop in points. */
  judge: { args: { errand: string }; value: number; event: never };
  /** Loaded images by their index. */
  pictures: { args: { indices: number[] }; value: Pictures; event: never };
  /** The merged network that the next two compare with. */
  compare_with: { args: { merged: Uint8Array }; value: null; event: never };
  answers: { args: Record<string, never>; value: Answers; event: LoadProgress };
  ask: { args: { image: Blob }; value: Asked; event: never };
  /** How long a network takes here. */
  benchmark: { args: { file: NamedFile }; value: Timings; event: never };
  try_outside: { args: Record<string, never>; value: OutsideAnswer; event: never };
}

export type Method = keyof Methods;
export type Args<M extends Method> = Methods[M]['args'];
export type Value<M extends Method> = Methods[M]['value'];
export type EventOf<M extends Method> = Methods[M]['event'];

export type Request = { [M in Method]: { id: number; method: M; args: Args<M> } }[Method];

/** Asks a run that is going on to end early, for a checkpoint, to rest or to go on; or brings what became of an errand. */
export type Urge =
  | { id: number; method: 'cancel' | 'keep_checkpoint' }
  | { id: number; method: 'pause'; paused: boolean }
  | { id: number; method: 'errand_done'; number: number; drop: number | null };

export type ToWorker = Request | Urge;

export type FromWorker =
  /** Without being asked: requests that the worker has made. */
  | { id: null; kind: 'loads'; loads: Load[] }
  /** Without being asked: from a thread of its core, which tells here why it broke. The worker waits for it, and can't. */
  | { id: null; kind: 'thread'; port: MessagePort }
  | { id: number; kind: 'event'; event: EventOf<Method> }
  | { id: number; kind: 'value'; value: Value<Method> }
  | { id: number; kind: 'failure'; failure: Failure }
  /** The core is broken beyond this request: the worker has to be replaced. */
  | { id: number; kind: 'fault'; failure: Failure };
