// The worker of the lab's core: answers one call after the other.
import { startThreads, threadCount } from '../../www/src/worker/threads';
import { dispatched } from './dispatches.mjs';

const artifacts = { cpu: 'cpu', threads: 'threads', webgpu: 'gpu' };
const nobody = { loads() {}, watch() {} };
let bench;

const calls = {
  async open({ backend, base, onnx, batch }) {
    const address = new URL(`pkg/${artifacts[backend]}/graftlab.js`, base).href;
    const core = await import(/* @vite-ignore */ address);
    await core.default();
    if (backend === 'threads') await startThreads(core, address, await threadCount(), nobody);
    const session = await core.Session.create(backend === 'webgpu' ? 'webgpu' : 'cpu');
    bench = session.bench(new Uint8Array(onnx), batch);
  },
  forward: () => bench.forward(),
  step: () => bench.step(),
  dispatched,
};

addEventListener('message', async ({ data: { what, args } }) => {
  try {
    postMessage({ value: await calls[what](args) });
  } catch (error) {
    postMessage({ error: String(error?.message ?? error) });
  }
});
