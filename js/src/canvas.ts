// The frame with everything on it: masks, prompts, and the proposal as a difference.

import { clamp, type Look, type Placement, type Point, place, type Size, toScreen, WHOLE } from "./geometry";
import { type Diff, type Layer, Layers } from "./layers";
import type { ObjectInfo } from "./messages";
import {
  hatch,
  isPaint,
  MASK_ALPHA,
  paintArea,
  paintContour,
  paintNumber,
  paintOutline,
  paintPrompt,
  paintShape,
  paintStroke,
} from "./paint";
import { objectOf } from "./rules";
import type { Drawing, Store } from "./store";

/** All that a painted frame consists of; it is shown only once all of it is decoded. */
interface Scene {
  frame: number;
  bitmap: ImageBitmap;
  masks: { object: ObjectInfo; layer: Layer }[];
  diff: { object: ObjectInfo; diff: Diff } | null;
}

/** From the middle of an object's number to where its surroundings begin, and to that of a click's marker. */
const LABEL_PX = 12;
const CLICK_PX = 18;
const DECODE_AHEAD = 4;
const MOST_WANTED = 8;

export class FrameCanvas {
  readonly element: HTMLCanvasElement;
  look: Look = WHOLE;
  #stage: Size = { width: 1, height: 1 };
  #ratio = 1;
  #scene: Scene | null = null;
  /** The frames that were asked for last, and in which direction. */
  #wanted: number[] = [];
  #way = 1;
  #preview: ImageBitmap | null = null;
  readonly layers: Layers;
  readonly ring: HTMLDivElement;
  #ringAt: Point | null = null;
  #scratch = document.createElement("canvas");

  constructor(
    private readonly store: Store,
    readonly changed: () => void,
  ) {
    this.element = document.createElement("canvas");
    this.element.className = "lit-frame";
    this.element.setAttribute("role", "img");
    this.ring = document.createElement("div");
    this.ring.className = "lit-ring";
    this.ring.hidden = true;
    this.layers = new Layers(changed, (text) => store.set({ error: text }));
  }

  get stage(): Size {
    return this.#stage;
  }

  /** Size of the video in its own pixels; of the preview as long as nothing else is known. */
  get video(): Size {
    return this.store.state?.video ?? this.#preview ?? { width: 16, height: 9 };
  }

  get placement(): Placement {
    return place(this.look, this.#stage, this.video);
  }

  /** The frame on the screen; -1 before the first. */
  get painted(): number {
    return this.#scene?.frame ?? -1;
  }

  /** Whether the frame that the user wants is the one on the screen. */
  get current(): boolean {
    return this.painted === this.store.frame;
  }

  /** Painted pixels of the active object's mask on the current frame. */
  get maskPixels(): number {
    if (!this.current) return 0;
    return this.#scene?.masks.find(({ object }) => object.id === this.store.active)?.layer.pixels ?? 0;
  }

  resize(stage: Size, ratio: number): void {
    this.#stage = stage;
    this.#ratio = ratio;
    for (const canvas of [this.element, this.#scratch]) {
      canvas.width = Math.max(1, Math.round(stage.width * ratio));
      canvas.height = Math.max(1, Math.round(stage.height * ratio));
    }
    this.changed();
  }

  setPreview(bitmap: ImageBitmap | null): void {
    this.#preview?.close();
    this.#preview = bitmap;
    this.changed();
  }

  setLook(look: Look): void {
    this.look = look;
    this.changed();
  }

  showRing(at: Point | null): void {
    this.#ringAt = at;
    this.#placeRing();
  }

  #placeRing(): void {
    const { ring } = this;
    ring.hidden = !this.#ringAt || !isPaint(this.store.tool);
    if (!this.#ringAt) return;
    const across = Math.max(4, 2 * this.store.brush * this.placement.scale);
    ring.style.width = ring.style.height = `${across}px`;
    ring.style.transform = `translate(${this.#ringAt.x - across / 2}px, ${this.#ringAt.y - across / 2}px)`;
  }

  /** Begin at once to decode what the frame on the screen has got, not only with the next picture. */
  prepare(): void {
    this.#compose(this.store.frame);
  }

  draw(): void {
    this.#placeRing();
    const scene = this.#compose(this.store.frame) ?? this.#latest();
    if (scene) this.#scene = scene;
    if (this.#scene && this.#scene.bitmap.width === 0) this.#scene = null;
    for (let i = 1; i <= DECODE_AHEAD; i++) this.#compose(this.store.frame + i * this.#way);
    const context = this.element.getContext("2d");
    if (!context) return;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.element.width, this.element.height);
    if (this.#scene) this.#paint(context, this.#scene);
    else if (this.#preview) this.#paintPicture(context, this.#preview);
  }

  /** A frame with its masks, as large as a canvas; nothing where a part of it is missing yet. */
  paintSmall(canvas: HTMLCanvasElement, frame: number): void {
    const context = canvas.getContext("2d");
    const scene = this.#compose(frame);
    if (!context || !scene) return;
    const scale = canvas.width / this.video.width;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.drawImage(scene.bitmap, 0, 0, this.video.width, this.video.height);
    for (const { layer } of scene.masks) paintArea(context, layer, MASK_ALPHA);
  }

  /** Where frames pass faster than they are decoded: the newest of those that were wanted and are there by now. */
  #latest(): Scene | null {
    const { frame } = this.store;
    const last = this.#wanted.at(-1);
    if (frame !== last) {
      this.#way = last !== undefined && frame < last ? -1 : 1;
      this.#wanted = [...this.#wanted.slice(-MOST_WANTED), frame];
    }
    const newer = this.#wanted.slice(this.#wanted.lastIndexOf(this.painted) + 1, -1);
    for (const wanted of newer.reverse()) {
      const scene = this.#compose(wanted);
      if (scene) return scene;
    }
    return null;
  }

  /** The scene of a frame, or nothing while a part of it is missing or still being decoded. */
  #compose(frame: number): Scene | null {
    const { store } = this;
    if (!store.state) return null;
    const bitmap = store.frames.bitmap(frame, this.changed);
    let complete = bitmap !== undefined;
    const masks: Scene["masks"] = [];
    for (const object of store.state.objects.filter(({ hidden }) => !hidden)) {
      const mask = store.masks.get(frame, object.id);
      if (!mask) continue;
      const layer = this.layers.layer(mask, this.video, object.colour);
      if (layer) masks.push({ object, layer });
      else complete = false;
    }
    const diff = this.#composeDiff(frame);
    if (diff === undefined || !complete || !bitmap) return null;
    return { frame, bitmap, masks, diff };
  }

  #composeDiff(frame: number): Scene["diff"] | undefined {
    const { proposal, proposed, state, masks } = this.store;
    const object = state && proposal ? objectOf(state, proposal.object) : undefined;
    if (!object || !proposed || proposal?.frame !== frame) return null;
    const diff = this.layers.diff(masks.get(frame, object.id), proposed, this.video, object.colour);
    return diff && { object, diff };
  }

  #toVideoPixels(context: CanvasRenderingContext2D): void {
    const { x, y, scale } = this.placement;
    const ratio = this.#ratio;
    context.setTransform(scale * ratio, 0, 0, scale * ratio, x * ratio, y * ratio);
    context.imageSmoothingEnabled = scale * ratio < 3;
  }

  #toScreenPixels(context: CanvasRenderingContext2D): void {
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
  }

  #paintPicture(context: CanvasRenderingContext2D, picture: ImageBitmap): void {
    this.#toVideoPixels(context);
    context.drawImage(picture, 0, 0, this.video.width, this.video.height);
  }

  #paint(context: CanvasRenderingContext2D, scene: Scene): void {
    this.#paintPicture(context, scene.bitmap);
    const shown = this.store.holdBase ? null : scene.diff;
    const { drawing } = this.store;
    for (const { object, layer } of scene.masks) {
      const drawn = drawing?.object === object.id && drawing.frame === scene.frame && isPaint(drawing.kind);
      if (shown?.object.id !== object.id && !drawn) this.#paintMask(context, layer, object.colour);
    }
    if (shown) this.#paintDiff(context, shown.diff, shown.object.colour);
    else if (!drawing) this.#paintHover(context, scene);
    this.#toScreenPixels(context);
    for (const { object, layer } of scene.masks) {
      this.#paintLabel(context, object, shown?.object.id === object.id ? shown.diff.proposed : layer);
    }
    if (scene.frame === this.store.frame) this.#paintPrompts(context);
    if (drawing?.frame === scene.frame) this.#paintDrawing(context, scene, drawing);
  }

  #paintMask(context: CanvasRenderingContext2D, layer: Layer, colour: string): void {
    paintArea(context, layer, MASK_ALPHA);
    paintContour(context, layer, colour, this.placement.scale);
  }

  /** What a click would give: a fine dotted outline, for it is neither a mask nor a proposal. */
  #paintHover(context: CanvasRenderingContext2D, scene: Scene): void {
    const { hover, state } = this.store;
    const object = state && hover ? objectOf(state, hover.object) : undefined;
    if (!hover || !object || hover.frame !== scene.frame) return;
    const layer = this.layers.layer(hover, this.video, object.colour);
    if (!layer) return;
    paintOutline(context, layer, "#000", this.placement.scale, [3.5, 3.5], 4);
    paintOutline(context, layer, object.colour, this.placement.scale, [2.5, 4.5], 2.5);
  }

  #paintDiff(context: CanvasRenderingContext2D, diff: Diff, colour: string): void {
    this.#paintMask(context, diff.proposed, colour);
    this.#paintHatch(context, diff.added, hatch(context, true, "#fff", this.#ratio));
    this.#toVideoPixels(context);
    paintArea(context, diff.removed, MASK_ALPHA);
    this.#paintHatch(context, diff.removed, hatch(context, false, "#000", this.#ratio));
    this.#toVideoPixels(context);
    paintOutline(context, diff.removed, "#000", this.placement.scale);
    paintOutline(context, diff.removed, "#fff", this.placement.scale, [4, 4]);
    paintOutline(context, diff.proposed, colour, this.placement.scale);
  }

  /** Fill an area with screen-space lines, which stay as fine when the user zooms in. */
  #paintHatch(context: CanvasRenderingContext2D, layer: Layer, lines: CanvasPattern | null): void {
    const scratch = this.#scratch.getContext("2d");
    if (!scratch || !lines || !layer.area) return;
    const { width, height } = this.#scratch;
    scratch.setTransform(1, 0, 0, 1, 0, 0);
    scratch.clearRect(0, 0, width, height);
    this.#toVideoPixels(scratch);
    scratch.drawImage(layer.area, layer.box.x, layer.box.y);
    scratch.setTransform(1, 0, 0, 1, 0, 0);
    scratch.globalCompositeOperation = "source-in";
    scratch.fillStyle = lines;
    scratch.fillRect(0, 0, width, height);
    scratch.globalCompositeOperation = "source-over";
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.#scratch, 0, 0);
  }

  /** What the mouse draws: paint in place of the mask that it changes, a line where an area is enclosed. */
  #paintDrawing(context: CanvasRenderingContext2D, scene: Scene, drawing: Drawing): void {
    const object = this.store.state && objectOf(this.store.state, drawing.object);
    if (!object) return;
    if (!isPaint(drawing.kind)) {
      this.#toVideoPixels(context);
      paintShape(context, drawing, object.colour, this.placement.scale);
      return;
    }
    const scratch = this.#scratch.getContext("2d");
    if (!scratch) return;
    scratch.setTransform(1, 0, 0, 1, 0, 0);
    scratch.clearRect(0, 0, this.#scratch.width, this.#scratch.height);
    this.#toVideoPixels(scratch);
    const mask = scene.masks.find((each) => each.object.id === object.id);
    if (mask) paintArea(scratch, mask.layer, 1);
    paintStroke(scratch, drawing, object.colour);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalAlpha = MASK_ALPHA;
    context.drawImage(this.#scratch, 0, 0);
    context.globalAlpha = 1;
  }

  #paintLabel(context: CanvasRenderingContext2D, object: ObjectInfo, layer: Layer): void {
    if (layer.pixels === 0) return;
    const { label } = layer;
    const inside = label.depth * this.placement.scale >= LABEL_PX;
    const at = toScreen(
      inside ? label : { x: label.x, y: label.top - LABEL_PX / this.placement.scale },
      this.placement,
    );
    // Above a click that lies where it would be.
    for (const prompt of this.store.markers(this.store.frame)) {
      const click = toScreen(prompt, this.placement);
      if (Math.abs(click.x - at.x) < CLICK_PX && Math.abs(click.y - at.y) < CLICK_PX)
        at.y = click.y - CLICK_PX;
    }
    at.x = clamp(at.x, 12, this.#stage.width - 12);
    at.y = clamp(at.y, 12, this.#stage.height - 12);
    paintNumber(context, String(object.id), at, object.colour, object.id === this.store.active);
  }

  #paintPrompts(context: CanvasRenderingContext2D): void {
    for (const prompt of this.store.markers(this.store.frame)) {
      const object = this.store.state && objectOf(this.store.state, prompt.object);
      if (object?.hidden) continue;
      const at = toScreen(prompt, this.placement);
      paintPrompt(context, prompt, at, object?.colour ?? "#0072b2", prompt.sent);
    }
    for (const { frame, object: id, box } of this.store.state?.standing ?? []) {
      const object = this.store.state && objectOf(this.store.state, id);
      if (frame !== this.store.frame || !object || object.hidden || box.length < 4) continue;
      const [x0, y0, x1, y1] = box as [number, number, number, number];
      const points = [
        { x: x0, y: y0 },
        { x: x1, y: y1 },
      ];
      this.#toVideoPixels(context);
      paintShape(context, { kind: "box", points }, object.colour, this.placement.scale);
      this.#toScreenPixels(context);
    }
  }
}
