// What is loaded into the lab.
import type { NetworkCard, NetworkOptions } from '../worker/core';
import type { LoadedData } from '../worker/engine';
import type { BackendInUse, Failure, NamedFile } from '../worker/protocol';
import type { SavedChoices } from './choices.svelte';
import type { Line } from './lines';

export interface LabNetwork {
  id: number;
  slot: number;
  line: Line;
  card: NetworkCard;
  file: NamedFile;
  options: NetworkOptions | undefined;
}

/** What is loaded and chosen, to be kept. */
export interface SavedLab {
  networks: Pick<LabNetwork, 'slot' | 'file' | 'options'>[];
  images: LoadedData | null;
  choices: SavedChoices;
}

/** A network that says nothing of its task: the user is asked. */
export interface Unfinished {
  id: number;
  file: NamedFile;
}

export type Core =
  | { state: 'opening' }
  | { state: 'ready'; inUse: BackendInUse }
  | { state: 'failed'; failure: Failure };

/** What is going on besides a run. */
export type Busy = { what: 'network' | 'data' | 'sample' | 'project'; name: string };
