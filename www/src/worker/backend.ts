// Chooses the backend: WebGPU where it is there, fast and passes its self-test; else the CPU, and why.
import type { Core, Decode, Session } from './core';
import { toFailure } from './failure';
import type { Artifact, Backend, BackendInUse, BackendReason, BackendWish, Failure } from './protocol';

/** What the browser and the artifacts offer. In one place, so that tests can stand in for a browser. */
export interface Surroundings {
  /** How many threads the core can have; 0 where the browser lacks something that they need. */
  threads(): Promise<number>;
  gpu: { requestAdapter(options?: GPURequestAdapterOptions): Promise<GPUAdapter | null> } | undefined;
  artifactStatus(): Promise<Partial<Record<Artifact, string>>>;
  /** `threads` is for the artifact of that name. */
  loadCore(artifact: Artifact, threads?: number): Promise<Core>;
  loadDecoder(): Promise<Decode>;
}

export interface Opened {
  core: Core;
  session: Session;
  inUse: BackendInUse;
}

interface Obstacle {
  reason: BackendReason;
  detail?: Failure;
}

/** One thread on the CPU, of the artifact that another worker has: what it computes is the same, bit by bit. */
export async function openBeside(artifact: Artifact, around: Surroundings): Promise<Opened> {
  return openWith('cpu', 'cpu', { reason: 'chosen' }, artifact, await around.loadCore(artifact, 1));
}

export async function openBackend(wish: BackendWish, around: Surroundings): Promise<Opened> {
  const openCpu = async (why: Obstacle) => {
    const { artifact, core } = await loadCpu(around);
    return openWith('cpu', wish, why, artifact, core);
  };
  if (wish === 'cpu') return openCpu({ reason: 'chosen' });
  const { obstacle, adapter } = await askForGpu(wish, around);
  if (obstacle) return openCpu(obstacle);
  try {
    const reason = wish === 'auto' ? 'self_test_passed' : 'chosen';
    const opened = await openWith('webgpu', wish, { reason }, 'gpu', await around.loadCore('gpu'));
    opened.inUse.device += adapterName(adapter);
    return opened;
  } catch (error) {
    return openCpu({ reason: 'self_test_failed', detail: toFailure(error) });
  }
}

/** With as many threads as there can be; the results are the same for any number. */
async function loadCpu(around: Surroundings): Promise<{ artifact: Artifact; core: Core }> {
  const threads = await around.threads();
  if (threads > 0 && (await around.artifactStatus()).threads === 'ready') {
    try {
      return { artifact: 'threads', core: await around.loadCore('threads', threads) };
    } catch {
      // No room for a memory that all threads share, perhaps. The other artifact needs none.
    }
  }
  return { artifact: 'cpu', core: await around.loadCore('cpu') };
}

async function openWith(
  backend: Backend,
  wish: BackendWish,
  why: Obstacle,
  artifact: Artifact,
  core: Core,
): Promise<Opened> {
  const session = await core.Session.create(backend);
  const settings = { quick: core.defaultSettings(true), full: core.defaultSettings(false) };
  const inUse = {
    backend,
    wish,
    ...why,
    artifact,
    device: session.device,
    version: core.version(),
    settings,
  };
  return { core, session, inUse };
}

type GpuAnswer = { obstacle: Obstacle; adapter?: never } | { obstacle?: never; adapter: GPUAdapter };

/** The adapter, or what stands in the way of WebGPU, cheapest question first. */
async function askForGpu(wish: BackendWish, around: Surroundings): Promise<GpuAnswer> {
  const no = (reason: BackendReason) => ({ obstacle: { reason } });
  if (!around.gpu) return no('no_webgpu');
  const adapter = await around.gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter) return no('no_adapter');
  // The core measures with timestamps and can't start its stream without them.
  if (!adapter.features.has('timestamp-query')) return no('no_timestamps');
  if (wish === 'auto' && isSoftware(adapter)) return no('software_adapter');
  const { gpu } = await around.artifactStatus();
  if (gpu === 'building') return no('building');
  if (gpu !== 'ready') return no('not_built');
  return { adapter };
}

/** As far as the browser tells it. */
function adapterName({ info }: GPUAdapter): string {
  const name = info.description || [info.vendor, info.architecture].filter(Boolean).join(' ');
  return name && `: ${name}`;
}

/** An adapter that computes on the CPU is slower than the CPU backend. */
function isSoftware({ info }: GPUAdapter): boolean {
  return (
    info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|warp/i.test(info.architecture + info.description)
  );
}
