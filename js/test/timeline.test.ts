import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { columnsOf } from "../src/confidence";
import type { State } from "../src/messages";
import { nextDoubtful, trackStart } from "../src/rules";
import { Opened, someState, stubPictures } from "./fakes";

const tracked: Partial<State> = {
  objects: [
    {
      id: 1,
      name: "rider",
      colour: "#0072B2",
      runs: [[0, 99, "tracked"]],
      hidden: false,
      locked: false,
      changed: [],
    },
  ],
};
const strip = (...low: [frame: number, percent: number][]) => {
  const all = new Uint8Array(100).fill(90);
  for (const [frame, percent] of low) all[frame] = percent;
  return all;
};
const doubtful = strip([10, 60], [11, 30], [12, 50], [40, 69], [99, 20]);

let view: Opened;
beforeEach(stubPictures);
afterEach(() => view?.close());

it("the next doubtful frame is the worst of its stretch, and comes round", () => {
  expect([0, 10, 11, 12, 40, 99].map((frame) => nextDoubtful(doubtful, frame))).toEqual([
    11, 11, 40, 40, 99, 11,
  ]);
  expect(nextDoubtful(new Uint8Array(5).fill(255), 0)).toBeUndefined();
});

it("columns of a long video show the worst of their frames", () => {
  expect(columnsOf(doubtful, 10)).toEqual([90, 30, 90, 90, 69, 90, 90, 90, 90, 20]);
  expect(columnsOf(doubtful)).toHaveLength(100);
});

describe("keys", () => {
  const lands = async (...frames: number[]) => {
    for (const frame of frames) {
      view.press("n");
      await view.settled();
      expect(view.root.dataset.frame).toBe(String(frame));
    }
  };

  it("go to doubtful frames, or say that there are none", async () => {
    view = await Opened.with(tracked);
    const said = () => view.root.querySelector(".lit-status")?.textContent;
    view.press("n");
    await view.settled();
    expect(said()).toContain("Track first");
    const heard = (all: Uint8Array) =>
      view.model.receive({ type: "confidenceStrips", objects: [1] }, [
        new DataView(all.buffer as ArrayBuffer),
      ]);
    heard(strip());
    view.press("n");
    await view.settled();
    expect(said()).toBe("No mask is doubtful");
    heard(doubtful);
    await lands(11, 40, 99, 11);
  });

  it("set the range in which to track; a mark beyond the other lifts it", async () => {
    view = await Opened.with(tracked);
    view.press("ArrowRight", { shiftKey: true });
    view.press("i");
    view.model.receive(someState({ ...tracked, range: [10, 99] }));
    view.press("ArrowLeft");
    view.press("o");
    view.model.receive(someState({ ...tracked, range: [0, 9] }));
    view.press("I", { shiftKey: true });
    expect(view.model.of("setRange").map(({ first, last }) => [first, last])).toEqual([
      [10, null],
      [null, 9],
      [null, null],
    ]);
  });

  it("change the speed and the loop", async () => {
    view = await Opened.with(tracked);
    for (const key of [".", ".", ".", ","]) view.press(key);
    view.press("L", { shiftKey: true });
    await view.settled();
    expect(view.root.querySelector(".lit-speed")?.textContent).toBe("2×");
    expect(view.root.querySelector('[aria-label="Repeat"]')?.getAttribute("aria-pressed")).toBe("true");
  });
});

it("tracks within the range", () => {
  const state = someState({ ...tracked, range: [20, 40] });
  expect([5, 30, 50].map((frame) => trackStart(state, frame, false))).toEqual([20, 30, 20]);
  expect([5, 30, 50].map((frame) => trackStart(state, frame, true))).toEqual([40, 30, 40]);
});

it("a loop plays the range again", async () => {
  view = await Opened.with({ ...tracked, range: [0, 2], video: { ...someState().video, fps: 50 } });
  view.press("L", { shiftKey: true });
  view.press(" ");
  const seen = new Set<string | undefined>();
  for (let i = 0; i < 40; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    seen.add(view.root.dataset.frame);
  }
  expect([...seen].sort()).toEqual(["0", "1", "2"]);
  expect(view.root.querySelector('[aria-label="Pause"]')).not.toBeNull();
});
