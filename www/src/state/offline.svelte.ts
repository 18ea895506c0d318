// Whether the lab is kept in this browser, so that it opens without a network, and whether there is a newer one.

export type OfflineState = 'none' | 'storing' | 'stored' | 'newer';

export class Offline {
  state = $state<OfflineState>('none');
  #registration: ServiceWorkerRegistration | null = null;

  /** Keeps the lab. Browsers without service workers, private windows and full disks leave it at `none`. */
  async keep(): Promise<void> {
    const container = navigator.serviceWorker;
    if (!container || import.meta.env.DEV || this.state !== 'none') return;
    this.state = 'storing';
    try {
      const registration = await container.register(new URL('service-worker.js', document.baseURI));
      this.#registration = registration;
      registration.addEventListener('updatefound', () => this.#watch(registration.installing));
      this.#watch(registration.installing);
      if (registration.waiting) this.#isNewer();
      await container.ready;
      if (this.state === 'storing') this.state = 'stored';
    } catch {
      this.state = 'none';
    }
  }

  /** Also keeps what was loaded before there was anything to keep it. */
  remember(addresses: string[]): void {
    this.#registration?.active?.postMessage({ kind: 'keep', addresses });
  }

  /** Changes to the newer version, for all tabs of the lab. */
  update(): void {
    const waiting = this.#registration?.waiting;
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
    waiting?.postMessage({ kind: 'take over' });
    // Another tab has changed to it already.
    if (!waiting) location.reload();
  }

  #watch(worker: ServiceWorker | null): void {
    worker?.addEventListener('statechange', () => {
      if (worker.state === 'installed') this.#isNewer();
      else if (worker.state === 'redundant' && this.state === 'storing') this.state = 'none';
    });
  }

  /** A worker that waits is newer only where one is at work. */
  #isNewer(): void {
    if (this.#registration?.active && this.#registration.waiting) this.state = 'newer';
  }
}
