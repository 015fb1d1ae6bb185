import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { bytesOf, decodeMask } from "../src/codec";
import type { Size } from "../src/geometry";
import { labelSpot } from "../src/label";
import { bounds, edges, makeDiff } from "../src/layers";
import { stubPictures } from "./fakes";

/** What `zlib.compress(numpy.packbits(mask))` gives. */
function encodeMask(bits: number[]): DataView {
  const packed = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, i) => {
    packed[i >> 3] = (packed[i >> 3] as number) | (bit << (7 - (i & 7)));
  });
  const deflated = deflateSync(packed, { level: 1 });
  return new DataView(new Uint8Array(deflated).buffer);
}

const WIDTH = 5;
const HEIGHT = 3;
const BITS = [0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1];

it("reads rows that follow each other without padding", async () => {
  const bits = await decodeMask(bytesOf(encodeMask(BITS)), WIDTH, HEIGHT);
  expect([...bits]).toEqual(BITS);
});

it("takes only its own bytes of a message's memory", () => {
  const memory = new Uint8Array([9, 9, 1, 2, 3, 9]);
  expect([...bytesOf(new DataView(memory.buffer, 2, 3))]).toEqual([1, 2, 3]);
});

it("refuses a mask of another size", async () => {
  await expect(decodeMask(bytesOf(encodeMask(BITS)), 64, 48)).rejects.toThrow("does not fit");
});

it("finds the box and the pixels", () => {
  const size = { width: WIDTH, height: HEIGHT };
  expect(bounds(Uint8Array.from(BITS), size)).toEqual({
    box: { x: 1, y: 0, width: 4, height: 3 },
    pixels: 7,
  });
  expect(bounds(new Uint8Array(15), size).pixels).toBe(0);
});

describe("the number of an object", () => {
  /** A mask of rectangles `[x0, y0, x1, y1]`, the ends left out. */
  function spotOf(size: Size, ...rectangles: [number, number, number, number][]) {
    const bits = new Uint8Array(size.width * size.height);
    for (const [x0, y0, x1, y1] of rectangles) {
      for (let y = y0; y < y1; y++) bits.fill(1, y * size.width + x0, y * size.width + x1);
    }
    return labelSpot(bits, size, bounds(bits, size).box);
  }

  it("lies in the middle of the largest part, not on a stray speck", () => {
    const spot = spotOf({ width: 20, height: 12 }, [0, 0, 3, 2], [10, 4, 19, 11]);
    expect(spot).toEqual({ x: 14.5, y: 7.5, depth: 4, top: 4 });
  });

  it("lies inside what is hollow or bent, of a large mask too", () => {
    const arms = spotOf({ width: 800, height: 600 }, [100, 100, 180, 500], [100, 420, 700, 500]);
    const inside = arms.x < 180 ? arms.y > 100 && arms.y < 500 : arms.y > 420 && arms.y < 500 && arms.x < 700;
    expect([inside, arms.depth > 20]).toEqual([true, true]);
  });

  it("is found a place where the mask is a hair or nothing", () => {
    const size = { width: 400, height: 300 };
    expect(spotOf(size, [10, 20, 11, 280])).toMatchObject({ x: 10.5, depth: 0.5 });
    expect(spotOf(size).depth).toBe(0);
  });
});

it("outlines a single pixel with its four edges, at the border too", () => {
  const size = { width: 2, height: 2 };
  const found = edges(Uint8Array.from([1, 0, 0, 0]), size, { x: 0, y: 0, width: 1, height: 1 });
  expect(found).toEqual([
    [0, 0, 1, 0],
    [0, 1, 1, 1],
    [0, 0, 0, 1],
    [1, 0, 1, 1],
  ]);
});

it("tells what a proposal adds from what it removes", () => {
  stubPictures();
  const size = { width: 4, height: 1 };
  const diff = makeDiff(Uint8Array.from([1, 1, 0, 0]), Uint8Array.from([0, 1, 1, 1]), size, "#e69f00");
  expect(diff.added.box).toEqual({ x: 2, y: 0, width: 2, height: 1 });
  expect(diff.removed.box).toEqual({ x: 0, y: 0, width: 1, height: 1 });
  expect(diff.proposed.pixels).toBe(3);
});
