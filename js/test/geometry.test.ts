import { describe, expect, it } from "vitest";
import {
  clock,
  frameAt,
  inside,
  MAX_ZOOM,
  panBy,
  percentOf,
  place,
  toScreen,
  toVideo,
  WHOLE,
  zoomAt,
} from "../src/geometry";

const stage = { width: 800, height: 400 };
const video = { width: 100, height: 100 };

describe("place", () => {
  it("shows the whole frame in the middle", () => {
    expect(place(WHOLE, stage, video)).toEqual({ x: 200, y: 0, scale: 4 });
  });

  it("maps there and back", () => {
    const at = place({ zoom: 2.5, pan: { x: 13, y: -7 } }, stage, video);
    const point = { x: 31.5, y: 77.25 };
    const back = toVideo(toScreen(point, at), at);
    expect(back.x).toBeCloseTo(point.x);
    expect(back.y).toBeCloseTo(point.y);
  });
});

describe("zoomAt", () => {
  it("keeps the pixel under the pointer", () => {
    const pointer = { x: 400, y: 150 };
    const before = toVideo(pointer, place(WHOLE, stage, video));
    const look = zoomAt(WHOLE, stage, video, pointer, 3);
    const after = toVideo(pointer, place(look, stage, video));
    expect(after.x).toBeCloseTo(before.x);
    expect(after.y).toBeCloseTo(before.y);
  });

  it("stays between the whole frame and the largest zoom", () => {
    expect(zoomAt(WHOLE, stage, video, { x: 0, y: 0 }, 0.1)).toEqual(WHOLE);
    expect(zoomAt(WHOLE, stage, video, { x: 400, y: 200 }, 1e6).zoom).toBe(MAX_ZOOM);
  });
});

it("pans only as far as the frame overhangs", () => {
  expect(panBy(WHOLE, stage, video, { x: 50, y: 50 })).toEqual(WHOLE);
  const look = panBy({ zoom: 4, pan: { x: 0, y: 0 } }, stage, video, { x: 1e4, y: -1e4 });
  expect(look.pan).toEqual({ x: 400, y: -600 });
});

it("knows what is on the frame", () => {
  expect(inside({ x: 0, y: 99.9 }, video)).toBe(true);
  expect(inside({ x: 100, y: 0 }, video)).toBe(false);
  expect(inside({ x: 5, y: -0.1 }, video)).toBe(false);
});

it("gives every frame an equal share of the time line", () => {
  expect([0, 99, 100, 199, 1000, -5].map((x) => frameAt(x, 200, 2))).toEqual([0, 0, 1, 1, 1, 0]);
  expect(frameAt((percentOf(7, 24) / 100) * 480, 480, 24)).toBe(7);
});

it("writes time in tenths", () => {
  expect(clock(0, 25)).toBe("0:00.0");
  expect(clock(35, 25)).toBe("0:01.4");
  expect(clock(25 * 75, 25)).toBe("1:15.0");
});
