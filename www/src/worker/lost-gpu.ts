/**
 * Calls `tell` when a GPU device that was made here is lost. The core waits for ever for what such a device was to
 * compute.
 */
export function watchForLostGpu(tell: (message: string) => void): void {
  // Not in every browser's workers.
  const prototype = globalThis.GPUAdapter?.prototype;
  if (!prototype) return;
  const request = prototype.requestDevice;
  prototype.requestDevice = async function (...args) {
    const device = await request.apply(this, args);
    void device.lost.then(({ message }) => tell(message || 'The GPU was lost.'));
    return device;
  };
}
