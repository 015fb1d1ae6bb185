// What to ask the kernel for, so that playing and scrubbing find their frames already there.

import { hasMask } from "./rules";
import type { Store } from "./store";
import type { Transport } from "./transport";

export const CHUNK_FIRST = 8;
export const CHUNK = 16;
const AHEAD = 64;
const BEHIND = 16;
const NEAR = 16;
const MAX_REQUESTS = 2;
const LOST_MS = 6000;

/** Indices around the playhead in the order in which they are wanted. */
export function wanted(frame: number, nFrames: number): number[] {
  const ahead = Math.min(nFrames, frame + AHEAD) - frame;
  const behind = Math.min(frame, BEHIND);
  return [
    ...Array.from({ length: Math.max(0, ahead) }, (_, i) => frame + i),
    ...Array.from({ length: behind }, (_, i) => frame - 1 - i),
  ];
}

export class Prefetch {
  /** When a frame, or the masks of a frame, were asked for. */
  #frames = new Map<number, number>();
  #masks = new Map<number, number>();
  #peeked: number | null = null;
  #requests: { left: Set<number>; at: number }[] = [];

  constructor(
    private readonly store: Store,
    private readonly transport: Pick<Transport, "send">,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Ask for what is missing and not already on its way. */
  update(): void {
    if (!this.store.state || this.store.link !== "connected") return;
    this.#forgetOld();
    const around = wanted(this.store.frame, this.store.nFrames);
    this.#askPeek();
    this.#askFrames(around);
    this.#askMasks(this.store.peek === null ? around : [this.store.peek, ...around]);
  }

  #forgetOld(): void {
    const limit = this.now() - LOST_MS;
    for (const asked of [this.#frames, this.#masks]) {
      for (const [index, at] of asked) if (at < limit) asked.delete(index);
    }
    for (const request of this.#requests) {
      for (const index of request.left) if (this.store.frames.has(index)) request.left.delete(index);
    }
    this.#requests = this.#requests.filter((request) => request.left.size > 0 && request.at >= limit);
  }

  /** A few frames at the far end wait for company, so that playback does not ask for them one by one. */
  #worthwhile(missing: number[]): boolean {
    const near = (index: number) => index === this.store.peek || Math.abs(index - this.store.frame) < NEAR;
    return missing.length >= CHUNK_FIRST || missing.some(near);
  }

  /** What is looked at in passing waits for nothing else, but is asked for one at a time. */
  #askPeek(): void {
    const { peek, frames } = this.store;
    if (peek === null || frames.has(peek) || this.#frames.has(peek)) return;
    if (this.#peeked !== null && this.#frames.has(this.#peeked) && !frames.has(this.#peeked)) return;
    this.#peeked = peek;
    this.#frames.set(peek, this.now());
    this.transport.send({ type: "requestFrames", indices: [peek] });
  }

  #askFrames(around: number[]): void {
    while (this.#requests.length < MAX_REQUESTS) {
      const missing = around.filter((index) => !this.store.frames.has(index) && !this.#frames.has(index));
      if (!this.#worthwhile(missing)) return;
      const urgent = missing[0] === this.store.frame;
      const indices = missing.slice(0, urgent ? CHUNK_FIRST : CHUNK);
      for (const index of indices) this.#frames.set(index, this.now());
      this.#requests.push({ left: new Set(indices), at: this.now() });
      this.transport.send({ type: "requestFrames", indices });
      // While the user scrubs, the next place is asked for soonest if nothing else is queued before it.
      if (urgent) return;
    }
  }

  #askMasks(around: number[]): void {
    const objects = this.store.state?.objects ?? [];
    const lacks = (index: number) =>
      objects.some((object) => hasMask(object, index) && !this.store.masks.has(index, object.id));
    const missing = around.filter(
      (index) => this.store.frames.has(index) && !this.#masks.has(index) && lacks(index),
    );
    if (!this.#worthwhile(missing)) return;
    const indices = missing.slice(0, CHUNK);
    for (const index of indices) this.#masks.set(index, this.now());
    this.transport.send({ type: "requestMasks", indices });
  }
}
