// The camera of this machine, while someone wants it.

export class Camera {
  stream = $state.raw<MediaStream | null>(null);
  /** There is none, or the browser was not allowed to use it. */
  refused = $state(false);
  /** Where it is shown. */
  video = $state<HTMLVideoElement>();
  #asking = false;
  #left = false;

  static get mayBeThere(): boolean {
    return Boolean(globalThis.navigator?.mediaDevices);
  }

  async open(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    this.refused = false;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
      // Someone may have left before the answer.
      if (this.#left) this.close();
    } catch {
      this.refused = true;
    } finally {
      this.#asking = false;
    }
  }

  close(): void {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
  }

  /** Closes it for good. */
  leave(): void {
    this.#left = true;
    this.close();
  }

  /** The middle of what it sees, as a square of at most so many pixels; null while it sees nothing yet. */
  async shoot(most = Number.POSITIVE_INFINITY): Promise<Blob | null> {
    const { video } = this;
    if (!video?.videoWidth) return null;
    const seen = Math.min(video.videoWidth, video.videoHeight);
    const [x, y] = [(video.videoWidth - seen) / 2, (video.videoHeight - seen) / 2];
    const side = Math.min(seen, most);
    const canvas = new OffscreenCanvas(side, side);
    canvas.getContext('2d')?.drawImage(video, x, y, seen, seen, 0, 0, side, side);
    return canvas.convertToBlob();
  }
}
