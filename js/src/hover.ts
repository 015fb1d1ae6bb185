// What a click under the pointer would give, asked for while it rests.

import type { Point, Size } from "./geometry";
import { inside, tenth } from "./geometry";
import { objectOf } from "./rules";
import type { Store } from "./store";
import type { Transport } from "./transport";

const REST_MS = 60;
/** A hand is never quite still. */
const STILL_PX = 2;

interface Scene {
  store: Store;
  transport: Pick<Transport, "send">;
  size(): Size;
  /** The frame that the user wants is the one on the screen. */
  current(): boolean;
}

export class Hover {
  #timer: number | undefined;
  #at: Point | null = null;

  constructor(private readonly scene: Scene) {}

  /** The pointer is here, on the screen and in the video. */
  over(screen: Point, at: Point, positive: boolean): void {
    const moved = this.#at ? Math.hypot(screen.x - this.#at.x, screen.y - this.#at.y) : STILL_PX;
    if (moved < STILL_PX) return;
    this.leave();
    this.#at = screen;
    if (inside(at, this.scene.size()))
      this.#timer = window.setTimeout(() => this.#ask(at, positive), REST_MS);
  }

  /** The pointer is elsewhere, or does something. */
  leave(): void {
    clearTimeout(this.#timer);
    this.#at = null;
    this.scene.store.dropHover();
  }

  #ask(at: Point, positive: boolean): void {
    const { store, transport } = this.scene;
    const object = store.state && objectOf(store.state, store.active);
    const quiet =
      !store.running && !store.playing && !store.open && !store.away && store.pending.length === 0;
    const wanted = store.tool === "point" && quiet && this.scene.current();
    if (!store.state?.previews || !wanted || !object || object.locked || object.hidden) return;
    const question = { frame: store.frame, object: object.id, x: tenth(at.x), y: tenth(at.y), positive };
    store.asked = question;
    transport.send({ type: "preview", ...question });
  }
}
