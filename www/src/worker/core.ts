// The surface of the compute core. Stands in for `pkg/cpu/graftlab.d.ts` until that is generated from Rust; then this
// file only passes its types on.

export type SelectorName = 'matching' | 'share-all' | 'fixed-depth' | 'random';
export type Pixels = 'bytes' | 'unit' | 'signed' | 'imagenet';
export type Phase = 'teachers' | 'score' | 'search' | 'distil' | 'evaluate' | 'export';

export interface SearchSettings {
  calibration_images?: number;
  ridge_rows_per_channel?: number;
  score_images?: number;
  finalists?: number;
  finalist_image_passes?: number;
}

export interface TrainSettings {
  image_passes?: number;
  batch_size?: number;
  learning_rate?: number;
}

export interface Settings {
  budget?: number;
  selector?: SelectorName;
  seed?: number;
  use_labels?: boolean;
  search?: SearchSettings;
  train?: TrainSettings;
}

export interface TaskCard {
  name: string;
  classes: string[];
}

export interface JoinPointCard {
  tensor: string;
  shape: [number, number, number];
  macs_before: number;
  macs_after: number;
}

export interface NetworkCard {
  name: string;
  tasks: TaskCard[];
  input: [number, number, number];
  params: number;
  macs: number;
  opset: number;
  operators: [string, number][];
  join_points: JoinPointCard[];
}

export interface NetworkOptions {
  task?: string | undefined;
  classes?: string[] | undefined;
  preprocessing?: Pixels | undefined;
}

export interface LabelledTask {
  name: string;
  classes: string[];
  labelled: number;
  per_class: number[];
}

export interface SkippedFile {
  path: string;
  reason: string;
}

export interface DataCard {
  images: number;
  channels: number;
  height: number;
  width: number;
  tasks: LabelledTask[];
  train: number;
  architecture: number;
  validation: number;
  test: number;
  skipped: SkippedFile[];
}

export type SourceSummary =
  | { source: 'root'; network: string }
  | {
      source: 'join';
      network: string;
      donor: string;
      donor_point: number;
      donor_tensor: string;
      receiver_point: number;
      receiver_tensor: string;
      channels: [number, number];
    };

export interface PlanSummary {
  networks: SourceSummary[];
  macs: number;
  relative_macs: number;
}

export type Event =
  | { kind: 'phase_started'; phase: Phase }
  | { kind: 'progress'; phase: Phase; done: number; total: number; seconds_left: number | undefined }
  | {
      kind: 'candidate_scored';
      donor: number;
      donor_point: number;
      receiver: number;
      receiver_point: number;
      agreement: number;
      divergence: number;
      r_squared: number;
    }
  | { kind: 'plan_judged'; plan: PlanSummary; worst_drop_points: number }
  | { kind: 'plan_chosen'; plan: PlanSummary }
  | {
      kind: 'step';
      step: number;
      steps: number;
      image_passes: number;
      loss: number;
      task_losses: number[];
      learning_rate: number;
      images_per_second: number;
    }
  | { kind: 'validated'; step: number; student: number[]; teacher: number[] }
  | { kind: 'warning'; message: string };

export interface Scores {
  original: number | undefined;
  merged: number | undefined;
  agreement: number;
  images: number;
  labelled: number;
}

export interface TaskReport {
  name: string;
  classes: string[];
  validation: Scores;
  test: Scores;
}

export interface Compared {
  originals: number;
  merged: number;
}

export interface CostReport {
  macs: Compared;
  params: Compared;
  macs_shared: number;
  macs_skipped: number;
}

export interface Report {
  schema_version: number;
  version: string;
  device: string;
  settings: Settings;
  plan: PlanSummary;
  tasks: TaskReport[];
  worst_drop_points: number;
  cost: CostReport;
  seconds: { teachers: number; search: number; train: number; evaluate: number; total: number };
  curve: { step: number; image_passes: number; loss: number; task_losses: number[] }[];
  data: {
    images: number;
    train: number;
    architecture: number;
    validation: number;
    test: number;
    skipped: number;
  };
  warnings: string[];
}

export interface Outcome {
  report: Report;
  onnx: Uint8Array;
  safetensors: Uint8Array;
}

export interface InputFile {
  path: string;
  bytes: Uint8Array;
}

export interface Session {
  readonly device: string;
  addNetwork(file_name: string, bytes: Uint8Array, options: NetworkOptions | undefined): NetworkCard;
  removeNetwork(index: number): void;
  loadZip(bytes: Uint8Array, on_progress: (done: number, total: number) => void): Promise<DataCard>;
  loadFiles(
    files: { path: string; bytes: Uint8Array }[],
    on_progress: (done: number, total: number) => void,
  ): Promise<DataCard>;
  run(settings: Settings, on_event: (event: Event) => void): Promise<Outcome>;
  cancel(): void;
}

/** What a core artifact exports. */
export interface Core {
  default(): Promise<unknown>;
  version(): string;
  defaultSettings(quick: boolean): Settings;
  selectorNames(): string[];
  Session: { create(backend: string): Promise<Session> };
}
