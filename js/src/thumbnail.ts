// The frame under the pointer on the time line, in small.

import type { FrameCanvas } from "./canvas";
import { h, setText } from "./dom";
import { clamp, clock, frameAt } from "./geometry";
import type { Store } from "./store";

const WIDTH = 144;

/** Listens on the track, and is shown above it. */
export function makeThumbnail(track: HTMLElement, store: Store, canvas: FrameCanvas) {
  const picture = document.createElement("canvas");
  const label = h("span", { class: "lit-number" });
  const element = h("div", { class: "lit-thumbnail", "aria-hidden": "true", hidden: true }, picture, label);
  let x = 0;

  function over(event: PointerEvent): void {
    if (event.pointerType === "touch" || store.nFrames === 0) return;
    const box = track.getBoundingClientRect();
    x = event.clientX - box.left;
    store.setPeek(frameAt(x, box.width, store.nFrames));
  }

  track.addEventListener("pointermove", over);
  track.addEventListener("pointerleave", () => store.setPeek(null));

  function update(): void {
    const frame = store.peek;
    element.hidden = frame === null;
    if (frame === null) return;
    const { width, height } = canvas.video;
    const ratio = window.devicePixelRatio || 1;
    picture.width = Math.round(WIDTH * ratio);
    picture.height = Math.round((WIDTH * height * ratio) / width);
    picture.style.height = `${(WIDTH * height) / width}px`;
    canvas.paintSmall(picture, frame);
    setText(label, `frame ${frame} · ${clock(frame, store.state?.video.fps ?? 1)}`);
    const middle = clamp(x, WIDTH / 2, Math.max(WIDTH / 2, track.clientWidth - WIDTH / 2));
    const row = element.parentElement?.getBoundingClientRect().left ?? 0;
    element.style.left = `${track.getBoundingClientRect().left - row + middle}px`;
  }

  return { element, update };
}
