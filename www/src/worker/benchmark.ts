// How long a network takes on this device: a batch of fixed images, as `npm run bench` has it.
import type { Session } from './core';
import type { Timings } from './protocol';

const batch = 32;
const leastRuns = 3;
const mostRuns = 30;
/** After so long no further run begins. */
const enoughMs = 3000;

export async function timings(session: Session, onnx: Uint8Array): Promise<Timings> {
  const bench = session.bench(onnx, batch);
  try {
    return { forward: await timesOf(() => bench.forward()), step: await timesOf(() => bench.step()) };
  } finally {
    bench.free();
  }
}

async function timesOf(work: () => Promise<number>): Promise<number[]> {
  // Buffers and shaders are made in the first run.
  await work();
  const times: number[] = [];
  const begin = performance.now();
  while (times.length < leastRuns || (times.length < mostRuns && performance.now() - begin < enoughMs)) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times;
}
