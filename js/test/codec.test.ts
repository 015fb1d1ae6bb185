import { deflateSync } from "node:zlib";
import { expect, it } from "vitest";
import { bytesOf, decodeMask } from "../src/codec";
import { bounds, edges, makeDiff, topOf } from "../src/layers";
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

it("puts the number above the middle of the mask, not on a stray speck", () => {
  const size = { width: 5, height: 3 };
  const bits = Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1]);
  const { box, pixels } = bounds(bits, size);
  expect(topOf(bits, size, box, pixels)).toEqual({ x: 21.5 / 7, y: 1 });
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
