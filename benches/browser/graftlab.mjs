// Graftlab's own core, in a worker as in the lab.

export async function open(backend, source, batch) {
  const worker = new Worker(new URL('./graftlab-worker.mjs', import.meta.url), { type: 'module' });
  const call = (what, args = {}) =>
    new Promise((resolve, reject) => {
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.onmessage = ({ data: { value, error } }) => (error ? reject(new Error(error)) : resolve(value));
      worker.postMessage({ what, args });
    });
  await call('open', { backend, base: document.baseURI, onnx: await source.onnx(), batch });
  return { forward: () => call('forward'), step: () => call('step'), dispatched: () => call('dispatched') };
}
