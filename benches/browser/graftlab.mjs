// Graftlab's own core, in the artifact that the lab would load.

export async function open(backend, network, { batch }) {
  const artifact = backend === 'cpu' ? 'cpu' : 'gpu';
  const address = new URL(`pkg/${artifact}/graftlab.js`, document.baseURI).href;
  const core = await import(/* @vite-ignore */ address);
  await core.default();
  const session = await core.Session.create(backend);
  const bench = session.bench(new Uint8Array(await network.onnx()), batch);
  return { forward: () => bench.forward(), step: () => bench.step() };
}
