// Playback of what is cached: it waits at a frame that has not come yet, and needs no kernel for the rest.

import { rangeOf } from "./rules";
import type { Store } from "./store";

export class Player {
  #handle = 0;
  #from = 0;
  #since = 0;
  #speed = 1;

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

  /** The speed; where it has changed, time is counted anew from here. */
  #at(speed: number, now: number): number {
    if (speed !== this.#speed) {
      this.#speed = speed;
      this.#from = this.store.frame;
      this.#since = now;
    }
    return speed;
  }

  #tick = (now: number): void => {
    const { store } = this;
    if (!store.playing || !store.state) {
      this.stop();
      return;
    }
    const fps = (store.state.video.fps > 0 ? store.state.video.fps : 24) * this.#at(store.speed, now);
    const [first, last] = store.looping ? rangeOf(store.state) : [0, store.nFrames - 1];
    const due = this.#from + Math.floor(((now - this.#since) / 1000) * fps);
    let reached = store.frame;
    while (reached < Math.min(due, last) && store.frames.has(reached + 1)) reached++;
    if (reached < Math.min(due, last)) {
      this.#from = reached;
      this.#since = now;
    }
    store.seek(reached);
    this.#handle = requestAnimationFrame(this.#tick);
    if (reached < last || due <= last) return;
    if (store.looping) {
      this.#from = first;
      this.#since = now;
      store.seek(first);
    } else {
      this.stop();
      store.set({ playing: false });
    }
  };
}
