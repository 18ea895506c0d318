// The page of `npm run bench`: one engine with one network, told what to do by scripts/bench.mjs.
import { dispatched } from './dispatches.mjs';

const libraries = {
  graftlab: () => import('./graftlab.mjs'),
  tensorflow: () => import('./tensorflow.mjs'),
  jax: () => import('./jax.mjs'),
};

const bytes = async (path) => {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.arrayBuffer();
};

/** A network as the native benchmark writes it: layers, and weights by the tensor's id. */
async function layers(name) {
  const network = await (await fetch(`networks/${name}.json`)).json();
  const values = new Float32Array(await bytes(`networks/${name}.bin`));
  const weights = new Map();
  for (const { id, shape, offset } of network.weights) {
    const count = shape.reduce((product, size) => product * size, 1);
    weights.set(id, { shape, values: values.slice(offset, offset + count) });
  }
  return { ...network, weights };
}

/** What is timed: `forward()` and `step()`, each until the cross-entropy is here. */
let load;

globalThis.bench = {
  async open({ library, backend, network, batch }) {
    const { open } = await libraries[library]();
    const source = { layers: () => layers(network), onnx: () => bytes(`networks/${network}.onnx`) };
    load = await open(backend, source, batch);
  },

  /** The losses of the first runs. */
  async losses(workload, runs) {
    const losses = [];
    for (let run = 0; run < runs; run++) losses.push(await load[workload]());
    return losses;
  },

  /** How many compute shaders one run has the GPU run. */
  async dispatches(workload) {
    const count = load.dispatched ?? dispatched;
    const before = await count();
    await load[workload]();
    return (await count()) - before;
  },

  /** Milliseconds of each run. The losses have been computed before, so everything is warm. */
  async time(workload, { least, most, seconds }) {
    const times = [];
    const begin = performance.now();
    while (times.length < least || (times.length < most && performance.now() - begin < seconds * 1000)) {
      const start = performance.now();
      await load[workload]();
      times.push(performance.now() - start);
    }
    return times;
  },
};
