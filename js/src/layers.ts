// From the bits of a mask to what is painted: a coloured area, its outline and its place on the frame.

import { Lru, type Mask } from "./caches";
import { decodeMask, inflateMask, unpackBits } from "./codec";
import type { Size } from "./geometry";
import { labelSpot, type Spot } from "./label";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Layer {
  colour: string;
  pixels: number;
  box: Box;
  /** Opaque in one colour where the mask is; null for an empty mask. */
  area: HTMLCanvasElement | null;
  outline: Path2D;
  label: Spot;
}

/** The smallest box around the set pixels, and how many there are. */
export function bounds(bits: Uint8Array, size: Size): { box: Box; pixels: number } {
  const [start, end] = [bits.indexOf(1), bits.lastIndexOf(1)];
  if (start < 0) return { box: { x: 0, y: 0, width: 0, height: 0 }, pixels: 0 };
  const [top, bottom] = [Math.floor(start / size.width), Math.floor(end / size.width)];
  let [left, right, pixels] = [size.width, -1, 0];
  for (let y = top; y <= bottom; y++) {
    const row = bits.subarray(y * size.width, (y + 1) * size.width);
    const [from, to] = [row.indexOf(1), row.lastIndexOf(1)];
    if (from < 0) continue;
    left = Math.min(left, from);
    right = Math.max(right, to);
    for (let x = from; x <= to; x++) pixels += row[x] as number;
  }
  return { box: { x: left, y: top, width: right - left + 1, height: bottom - top + 1 }, pixels };
}

/** The mask within its box and a rim of nothing, so that every pixel there has neighbours. */
function rimmed(bits: Uint8Array, size: Size, { x, y, width, height }: Box): Uint8Array {
  const out = new Uint8Array((width + 2) * (height + 2));
  for (let j = 0; j < height; j++) {
    const from = (y + j) * size.width + x;
    out.set(bits.subarray(from, from + width), (j + 1) * (width + 2) + 1);
  }
  return out;
}

/** Pixel edges between inside and outside, joined along rows and columns: `[x0, y0, x1, y1]` each. */
export function edges(bits: Uint8Array, size: Size, box: Box): number[][] {
  const pixels = rimmed(bits, size, box);
  const stride = box.width + 2;
  const found: number[][] = [];
  /** Lines across `ahead`, the step from a pixel to the one it may differ from, that run along `next`. */
  const scan = (
    lines: number,
    length: number,
    ahead: number,
    next: number,
    add: (j: number, a: number, b: number) => void,
  ) => {
    for (let j = 0; j < lines; j++) {
      let start = -1;
      for (let i = 0, at = j * ahead + next; i <= length; i++, at += next) {
        const edge = i < length && pixels[at] !== pixels[at + ahead];
        if (edge && start < 0) start = i;
        if (edge || start < 0) continue;
        add(j, start, i);
        start = -1;
      }
    }
  };
  const { x, y, width, height } = box;
  if (width === 0) return found;
  scan(height + 1, width, stride, 1, (j, a, b) => found.push([x + a, y + j, x + b, y + j]));
  scan(width + 1, height, 1, stride, (j, a, b) => found.push([x + j, y + a, x + j, y + b]));
  return found;
}

function outlineOf(bits: Uint8Array, size: Size, box: Box): Path2D {
  const path = new Path2D();
  for (const [x0, y0, x1, y1] of edges(bits, size, box) as [number, number, number, number][]) {
    path.moveTo(x0, y0);
    path.lineTo(x1, y1);
  }
  return path;
}

const CHANNELS = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i;

export function rgbOf(colour: string): [number, number, number] {
  const hex = CHANNELS.exec(colour);
  if (!hex) return [0, 114, 178];
  return hex.slice(1).map((channel) => Number.parseInt(channel, 16)) as [number, number, number];
}

let scratch: ImageData | null = null;

/** Pixels to write over, made once for a size: garbage of this size is collected later than a page can afford. */
function scratchFor(context: CanvasRenderingContext2D, size: Size): ImageData {
  if (scratch?.width !== size.width || scratch.height !== size.height) {
    scratch = context.createImageData(size.width, size.height);
  }
  return scratch;
}

function areaOf(bits: Uint8Array, size: Size, box: Box, colour: string): HTMLCanvasElement | null {
  if (box.width === 0) return null;
  const canvas = document.createElement("canvas");
  canvas.width = box.width;
  canvas.height = box.height;
  const context = canvas.getContext("2d");
  if (!context) return null;
  const image = scratchFor(context, size);
  const [red, green, blue] = rgbOf(colour);
  const pixel = new DataView(new ArrayBuffer(4));
  for (const [i, channel] of [red, green, blue, 255].entries()) pixel.setUint8(i, channel);
  const words = new Uint32Array(image.data.buffer);
  const word = new Uint32Array(pixel.buffer)[0] as number;
  for (let y = 0; y < box.height; y++) {
    const row = (box.y + y) * size.width + box.x;
    for (let x = 0; x < box.width; x++) words[y * image.width + x] = bits[row + x] ? word : 0;
  }
  context.putImageData(image, 0, 0, 0, 0, box.width, box.height);
  return canvas;
}

export function makeLayer(bits: Uint8Array, size: Size, colour: string): Layer {
  const { box, pixels } = bounds(bits, size);
  return {
    colour,
    pixels,
    box,
    area: areaOf(bits, size, box, colour),
    outline: outlineOf(bits, size, box),
    label: labelSpot(bits, size, box),
  };
}

/** What a proposal would change: its own mask, what it adds, and in white what it takes away. */
export interface Diff {
  proposed: Layer;
  added: Layer;
  removed: Layer;
}

export function makeDiff(base: Uint8Array | null, proposed: Uint8Array, size: Size, colour: string): Diff {
  const added = proposed.map((bit, i) => bit & ~(base?.[i] ?? 0));
  const removed = proposed.map((bit, i) => (base?.[i] ?? 0) & ~bit & 1);
  return {
    proposed: makeLayer(proposed, size, colour),
    added: makeLayer(added, size, colour),
    removed: makeLayer(removed, size, "#ffffff"),
  };
}

/** Give a layer's pixels back at once: what is only forgotten may take the page's memory for minutes. */
function free(layer: Layer): void {
  if (layer.area) layer.area.width = 0;
  layer.area = null;
}

const LAYER_BUDGET = 48 * 2 ** 20;

/** A mask as it came, be it an object's own or a proposed one. */
type Packed = Pick<Mask, "bytes">;

/** Layers of the masks that are or will soon be on the screen. */
export class Layers {
  #layers = new Lru<Packed, Layer>(LAYER_BUDGET, ({ box }) => box.width * box.height * 4 + 4000, free);
  /** Written over by each mask in turn. */
  #bits = new Uint8Array();
  #making = new Set<object>();
  #diff: { key: unknown[]; diff: Diff } | null = null;

  constructor(
    private readonly ready: () => void,
    private readonly failed: (text: string) => void,
  ) {}

  /** The layer of a mask, or nothing yet: then it is being made and `ready` is called. */
  layer(mask: Packed, size: Size, colour: string): Layer | undefined {
    const kept = this.#layers.get(mask);
    if (kept?.colour === colour) return kept;
    // In the old colour until the new one is there: nothing flickers.
    if (!this.#making.has(mask)) {
      void this.#make(mask, async () => {
        const packed = await inflateMask(mask.bytes, size.width, size.height);
        const n = size.width * size.height;
        if (this.#bits.length !== n) this.#bits = new Uint8Array(n);
        this.#layers.set(mask, makeLayer(unpackBits(packed, this.#bits), size, colour));
      });
    }
    return kept;
  }

  /** Make the layer of a mask whose bits are known already. */
  prepare(mask: Packed, bits: Uint8Array, size: Size, colour: string): void {
    this.#layers.set(mask, makeLayer(bits, size, colour));
  }

  diff(base: Packed | undefined, proposal: Packed, size: Size, colour: string) {
    const key = [base, proposal, colour];
    if (this.#diff?.key.every((part, i) => part === key[i])) return this.#diff.diff;
    void this.#make(proposal, async () => {
      const before = base ? await decodeMask(base.bytes, size.width, size.height) : null;
      const after = await decodeMask(proposal.bytes, size.width, size.height);
      this.#diff = { key, diff: makeDiff(before, after, size, colour) };
    });
    return undefined;
  }

  async #make(what: object, work: () => Promise<void>): Promise<void> {
    if (this.#making.has(what)) return;
    this.#making.add(what);
    try {
      await work();
      this.#making.delete(what);
      this.ready();
    } catch (error) {
      // Left among those being made, so that bytes that cannot be read are not tried for ever.
      this.failed(`A mask could not be read: ${(error as Error).message}`);
    }
  }
}
