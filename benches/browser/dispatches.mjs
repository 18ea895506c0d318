// Counts the compute shaders that this thread has the GPU run.

let count = 0;

const passes = globalThis.GPUComputePassEncoder?.prototype;
for (const name of passes ? ['dispatchWorkgroups', 'dispatchWorkgroupsIndirect'] : []) {
  const dispatch = passes[name];
  passes[name] = function (...sizes) {
    count++;
    return dispatch.apply(this, sizes);
  };
}

/** How many so far. */
export const dispatched = () => count;
