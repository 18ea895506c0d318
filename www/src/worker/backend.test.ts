import { describe, expect, test } from 'vitest';
import { openBackend, openBeside, type Surroundings } from './backend';
import type { Core } from './core';
import { CoreFailure } from './failure';
import * as fakeCore from './fake-core';
import type { Backend } from './protocol';

const hardware = { isFallbackAdapter: false, architecture: 'ampere', description: '' };

function browser({
  info = hardware,
  features = ['timestamp-query'],
  gpuArtifact = 'ready',
  selfTest = true,
  adapter = true,
  hasGpu = true,
  threads = 0,
  threadsStart = true,
  loaded = [] as string[],
} = {}): Surroundings {
  const found = { info, features: new Set(features) } as unknown as GPUAdapter;
  const core = {
    ...fakeCore,
    Session: {
      async create(backend: Backend) {
        const failure = { code: 'self_test', message: 'conv2d differs', hint: 'Update the driver.' };
        if (backend === 'webgpu' && !selfTest) throw new CoreFailure(failure);
        return { device: backend };
      },
    },
  };
  return {
    gpu: hasGpu ? { requestAdapter: async () => (adapter ? found : null) } : undefined,
    threads: async () => threads,
    artifactStatus: async () => ({ cpu: 'ready', threads: 'ready', gpu: gpuArtifact }),
    async loadCore(artifact, count) {
      loaded.push(count === undefined ? artifact : `${artifact} ${count}`);
      if (artifact === 'threads' && !threadsStart) throw new RangeError('could not allocate memory');
      return core as unknown as Core;
    },
    loadDecoder: async () => () => new Uint8Array(),
  };
}

const inUse = async (wish: 'auto' | Backend, around: Surroundings) => {
  const { backend, reason } = (await openBackend(wish, around)).inUse;
  return [backend, reason];
};

describe('automatic choice', () => {
  test('takes WebGPU where nothing stands in its way', async () => {
    expect(await inUse('auto', browser())).toEqual(['webgpu', 'self_test_passed']);
  });

  test.each([
    ['no_webgpu', { hasGpu: false }],
    ['no_adapter', { adapter: false }],
    ['no_timestamps', { features: [] }],
    ['software_adapter', { info: { ...hardware, isFallbackAdapter: true } }],
    ['software_adapter', { info: { ...hardware, architecture: 'swiftshader' } }],
    ['building', { gpuArtifact: 'building' }],
    ['not_built', { gpuArtifact: 'failed' }],
    ['self_test_failed', { selfTest: false }],
  ])('stays on the CPU and says why: %s', async (reason, conditions) => {
    expect(await inUse('auto', browser(conditions))).toEqual(['cpu', reason]);
  });

  test('passes on what the self-test said', async () => {
    const { inUse } = await openBackend('auto', browser({ selfTest: false }));
    expect(inUse.detail).toEqual({
      code: 'self_test',
      message: 'conv2d differs',
      hint: 'Update the driver.',
    });
  });
});

describe('chosen by the user', () => {
  test('the CPU is taken without asking for WebGPU', async () => {
    expect(await inUse('cpu', browser())).toEqual(['cpu', 'chosen']);
  });

  test('WebGPU is taken on a software adapter too', async () => {
    const software = browser({ info: { ...hardware, isFallbackAdapter: true } });
    expect(await inUse('webgpu', software)).toEqual(['webgpu', 'chosen']);
  });

  test('WebGPU gives way to the CPU where it is not there', async () => {
    expect(await inUse('webgpu', browser({ adapter: false }))).toEqual(['cpu', 'no_adapter']);
  });
});

describe('threads of the CPU', () => {
  test.each([
    ['as many as there are', { threads: 4 }, ['threads 4']],
    ['none where the browser lacks what they need', { threads: 0 }, ['cpu']],
    ['none where they do not start', { threads: 4, threadsStart: false }, ['threads 4', 'cpu']],
  ])('%s', async (_, conditions, expected) => {
    const loaded: string[] = [];
    const { inUse } = await openBackend('cpu', browser({ ...conditions, loaded }));
    expect(loaded).toEqual(expected);
    expect(inUse.artifact).toBe(expected.at(-1)?.split(' ')[0]);
  });

  test('one, of the same artifact, beside another worker', async () => {
    const loaded: string[] = [];
    await openBeside('threads', browser({ threads: 4, loaded }));
    expect(loaded).toEqual(['threads 1']);
  });
});
