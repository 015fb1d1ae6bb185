// Playback of what is cached: it waits at a frame that has not come yet, and needs no kernel for the rest.

import type { Store } from "./store";

export class Player {
  #handle = 0;
  #from = 0;
  #since = 0;

  constructor(private readonly store: Store) {}

  /** Follow `store.playing`. */
  update(): void {
    if (this.store.playing === (this.#handle !== 0)) return;
    if (!this.store.playing) {
      this.stop();
      return;
    }
    this.#from = this.store.frame;
    this.#since = performance.now();
    this.#handle = requestAnimationFrame(this.#tick);
  }

  stop(): void {
    cancelAnimationFrame(this.#handle);
    this.#handle = 0;
  }

  #tick = (now: number): void => {
    const { store } = this;
    if (!store.playing || !store.state) {
      this.stop();
      return;
    }
    const fps = store.state.video.fps > 0 ? store.state.video.fps : 24;
    const due = this.#from + Math.floor(((now - this.#since) / 1000) * fps);
    let reached = store.frame;
    while (reached < due && store.frames.has(reached + 1)) reached++;
    if (reached < due) {
      this.#from = reached;
      this.#since = now;
    }
    store.seek(reached);
    this.#handle = requestAnimationFrame(this.#tick);
    if (reached >= store.nFrames - 1) {
      this.stop();
      store.set({ playing: false });
    }
  };
}
