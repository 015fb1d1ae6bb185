// The strip under the lanes: how sure the active object's masks are; the lower the bar, the less.

import { h } from "./dom";
import { DOUBTFUL, NO_MASK, objectOf } from "./rules";
import type { Store } from "./store";

/** Most columns that are drawn; on longer videos each stands for its least sure frame. */
const MOST_COLUMNS = 1024;
const HEIGHT = 14;
const DOUBTFUL_INK = "#d55e00";

/** The least percentage in each of at most `most` columns of equal length. */
export function columnsOf(strip: Uint8Array, most = MOST_COLUMNS): number[] {
  const n = Math.min(most, strip.length);
  return Array.from({ length: n }, (_, i) =>
    Math.min(...strip.subarray(Math.floor((i * strip.length) / n), Math.floor(((i + 1) * strip.length) / n))),
  );
}

export function makeStrip(store: Store) {
  const canvas = h("canvas", { class: "lit-confidence", role: "img", height: HEIGHT });
  let drawn: Uint8Array | undefined;
  let ink = "";

  function draw(strip: Uint8Array | undefined): void {
    const columns = columnsOf(strip ?? new Uint8Array());
    canvas.width = Math.max(1, columns.length);
    const context = canvas.getContext("2d");
    if (!context) return;
    columns.forEach((percent, i) => {
      if (percent === NO_MASK) return;
      context.fillStyle = percent < DOUBTFUL ? DOUBTFUL_INK : ink;
      const height = Math.max(2, Math.round((percent / 100) * HEIGHT));
      context.fillRect(i, HEIGHT - height, 1, height);
    });
  }

  function update(): void {
    const strip = store.confidence.get(store.active);
    const now = getComputedStyle(canvas).color;
    if (strip === drawn && now === ink) return;
    [drawn, ink] = [strip, now];
    draw(strip);
    const name = (store.state && objectOf(store.state, store.active)?.name) ?? "";
    const doubtful = strip?.filter((percent) => percent < DOUBTFUL).length ?? 0;
    canvas.setAttribute("aria-label", `Confidence of ${name}: ${doubtful} doubtful frames`);
    canvas.title = `How sure the masks of ${name} are; ${doubtful} frames are doubtful`;
  }
  return { element: canvas, update };
}
