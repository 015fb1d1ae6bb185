// Pictures that have come from the kernel, ready to be shown, and those that are still wanted.

import { Lru } from "../caches";
import { bytesOf } from "../codec";
import { h } from "../dom";
import type { ToKernel } from "./messages";

const LARGE_BUDGET = 96 * 2 ** 20;
const SMALL_BUDGET = 24 * 2 ** 20;
const AT_ONCE = 8;
const TINY = 128;
const ASK_AGAIN_MS = 4000;

interface Picture {
  element: HTMLImageElement;
  bytes: number;
  /** It cannot be read. */
  broken: boolean;
}

const drop = ({ element }: Picture): void => {
  if (element.src) URL.revokeObjectURL(element.src);
};

/** Pictures of one size. */
class Shelf {
  #held: Lru<number, Picture>;
  #asked = new Map<number, number>();

  constructor(
    private readonly large: boolean,
    budget: number,
  ) {
    this.#held = new Lru(budget, ({ bytes }) => bytes, drop);
  }

  get(image: number): Picture | undefined {
    return this.#held.get(image);
  }

  put(image: number, buffer: DataView, ready: () => void): void {
    this.#asked.delete(image);
    const bytes = bytesOf(buffer);
    const element = h("img", { alt: "", draggable: "false", decoding: "async" });
    if (bytes.length > 0) {
      element.src = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
      // Decoded before it is shown, so that the next picture is there in the next frame.
      const shown = () => {
        // Smoothing would leave nothing of a picture this small.
        element.classList.toggle("lit-tiny", this.large && element.naturalWidth < TINY);
        ready();
      };
      element.decode?.().then(shown, () => {});
    }
    this.#held.set(image, { element, bytes: bytes.length, broken: bytes.length === 0 });
  }

  /** Ask for what is wanted and neither here nor on its way, the most wanted first. */
  want(images: readonly number[], send: (message: ToKernel) => void): void {
    const now = Date.now();
    const missing = images.filter((image) => {
      const asked = this.#asked.get(image);
      return !this.#held.has(image) && (asked === undefined || now - asked > ASK_AGAIN_MS);
    });
    for (const image of missing) this.#asked.set(image, now);
    // The one in sight must not wait for the encoding of others.
    const parts = this.large ? missing.map((image) => [image]) : chunks(missing, AT_ONCE);
    for (const part of parts) send({ type: "requestPictures", images: part, large: this.large });
  }

  clear(): void {
    this.#held.clear();
  }
}

const chunks = (items: number[], size: number): number[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));

export class Pictures {
  readonly large = new Shelf(true, LARGE_BUDGET);
  readonly small = new Shelf(false, SMALL_BUDGET);

  clear(): void {
    this.large.clear();
    this.small.clear();
  }
}
