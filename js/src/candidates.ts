// The candidates of a proposal, in the place of the panel: one picture each, cut out around the object.

import type { FrameCanvas } from "./canvas";
import type { Commands } from "./commands";
import { button, h, setText } from "./dom";
import { clamp, type Size } from "./geometry";
import type { Box, Layer } from "./layers";
import { MASK_ALPHA, paintArea, paintContour } from "./paint";
import { objectOf, sourceOf } from "./rules";
import type { Proposal, Store } from "./store";

const THUMB: Size = { width: 156, height: 88 };
const AROUND = 1.3;
const LEAST_PX = 24;

/** The same piece of the frame for all candidates, in the shape of a thumbnail: the masks and some surroundings. */
export function cutOut(masks: Box[], video: Size, aspect: number): Box {
  const boxes = masks.filter(({ width }) => width > 0);
  const all = boxes.length > 0 ? boxes : [{ x: 0, y: 0, ...video }];
  const [left, top] = [Math.min(...all.map(({ x }) => x)), Math.min(...all.map(({ y }) => y))];
  const right = Math.max(...all.map(({ x, width }) => x + width));
  const bottom = Math.max(...all.map(({ y, height }) => y + height));
  const width = Math.max((right - left) * AROUND, (bottom - top) * AROUND * aspect, LEAST_PX);
  const height = width / aspect;
  // What is larger than the video lies in its middle, what is smaller within it.
  const start = (middle: number, length: number, most: number) =>
    length > most ? (most - length) / 2 : clamp(middle - length / 2, 0, most - length);
  return {
    x: start((left + right) / 2, width, video.width),
    y: start((top + bottom) / 2, height, video.height),
    width,
    height,
  };
}

/** What all candidates have in common. */
interface Scene {
  picture: ImageBitmap;
  video: Size;
  cut: Box;
  colour: string;
}

function paintThumb(thumb: HTMLCanvasElement, layer: Layer, { picture, video, cut, colour }: Scene): void {
  const context = thumb.getContext("2d");
  if (!context) return;
  const scale = thumb.width / cut.width;
  context.setTransform(scale, 0, 0, scale, -cut.x * scale, -cut.y * scale);
  context.drawImage(picture, 0, 0, video.width, video.height);
  paintArea(context, layer, MASK_ALPHA);
  paintContour(context, layer, colour, scale);
}

export function makeCandidates(store: Store, commands: Commands, canvas: FrameCanvas) {
  const heading = h("h3", { class: "lit-heading" }, "");
  const list = h("div", { class: "lit-list" });
  const element = h(
    "div",
    { class: "lit-candidates", role: "group", "aria-label": "Candidates" },
    heading,
    list,
  );
  let shown: Proposal | null = null;
  let thumbs: HTMLCanvasElement[] = [];

  function build(open: Proposal): void {
    shown = open;
    thumbs = open.candidates.map(() => {
      const ratio = window.devicePixelRatio || 1;
      return h("canvas", {
        width: Math.round(THUMB.width * ratio),
        height: Math.round(THUMB.height * ratio),
      });
    });
    const buttons = open.candidates.map((candidate, i) => {
      const name = `Candidate ${i + 1} of ${open.candidates.length} · ${sourceOf(candidate)}`;
      const learned = candidate.learned_from.join(", ");
      const made = button({
        label: name,
        key: String(i + 1),
        class: "lit-candidate",
        run: () => commands.pick(i),
      });
      made.title = `${name}${learned && `, learned from ${learned}`} (${i + 1})`;
      const caption = h("span", { class: "lit-caption" }, h("kbd", {}, String(i + 1)), sourceOf(candidate));
      made.append(thumbs[i] as HTMLCanvasElement, caption);
      return made;
    });
    list.replaceChildren(...buttons);
    setText(heading, `Choose 1–${open.candidates.length}, then A`);
  }

  /** Paint all pictures once their pixels are there. */
  function paint(open: Proposal): void {
    const colour = (store.state && objectOf(store.state, open.object)?.colour) ?? "#0072b2";
    const { video } = canvas;
    const picture = store.frames.bitmap(open.frame, canvas.changed);
    const layers = open.candidates.map((candidate) => canvas.layers.layer(candidate, video, colour));
    if (!picture || !layers.every((layer) => layer !== undefined)) return;
    const boxes = layers.map(({ box }) => box);
    const scene = { picture, video, colour, cut: cutOut(boxes, video, THUMB.width / THUMB.height) };
    layers.forEach((layer, i) => {
      paintThumb(thumbs[i] as HTMLCanvasElement, layer, scene);
    });
    thumbs = [];
  }

  function update(): void {
    const { open } = store;
    element.hidden = !open || open.candidates.length < 2;
    if (!open || element.hidden) return;
    if (shown !== open) build(open);
    if (thumbs.length > 0) paint(open);
    [...list.children].forEach((child, i) => {
      child.setAttribute("aria-pressed", String(i === open.picked));
    });
  }

  return { element, update };
}
