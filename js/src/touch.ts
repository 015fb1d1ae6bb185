// Fingers on the picture: one does what the mouse does, two move and enlarge.

import type { Point } from "./geometry";

const TAP_PX = 10;
const LONG_MS = 500;

export interface Pinch {
  /** Between the fingers. */
  middle: Point;
  by: Point;
  factor: number;
}

export class Fingers {
  #down = new Map<number, Point>();
  #start: { at: Point; since: number } | null = null;

  get count(): number {
    return this.#down.size;
  }

  down(id: number, at: Point, now: number): void {
    this.#down.set(id, at);
    this.#start = this.count === 1 ? { at, since: now } : null;
  }

  /** How two fingers have moved and spread since the last call; nothing while there are not two. */
  move(id: number, at: Point): Pinch | null {
    const before = this.#pair();
    if (!this.#down.has(id)) return null;
    this.#down.set(id, at);
    if (this.#start && Math.hypot(at.x - this.#start.at.x, at.y - this.#start.at.y) > TAP_PX)
      this.#start = null;
    const after = this.#pair();
    if (!before || !after) return null;
    return {
      middle: before.middle,
      by: { x: after.middle.x - before.middle.x, y: after.middle.y - before.middle.y },
      factor: after.spread / Math.max(1, before.spread),
    };
  }

  /** A finger is lifted: whether that was a tap, and a long one. */
  up(id: number, now: number): "tap" | "long" | null {
    this.#down.delete(id);
    const start = this.#start;
    this.#start = null;
    if (!start) return null;
    return now - start.since < LONG_MS ? "tap" : "long";
  }

  #pair(): { middle: Point; spread: number } | null {
    const [a, b, more] = [...this.#down.values()];
    if (!a || !b || more) return null;
    return { middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, spread: Math.hypot(a.x - b.x, a.y - b.y) };
  }
}
