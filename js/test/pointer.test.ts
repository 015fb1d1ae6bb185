// What the pointer shows before it does anything, and fingers.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Fingers } from "../src/touch";
import { bufferOf, Opened, stubPictures } from "./fakes";

let view: Opened;
beforeEach(stubPictures);
afterEach(() => view?.close());

const REST = 120;
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function fire(
  type: string,
  x: number,
  y: number,
  how: PointerEventInit = {},
  target = "canvas.lit-frame",
): void {
  (view.root.querySelector(target) as HTMLElement).dispatchEvent(
    new PointerEvent(type, { clientX: x, clientY: y, bubbles: true, cancelable: true, pointerId: 1, ...how }),
  );
}

describe("a pointer at rest", () => {
  it("asks what a click would give, once, and shows it until it moves on", async () => {
    view = await Opened.with({ previews: true });
    fire("pointermove", 100, 200);
    fire("pointermove", 101, 200);
    await vi.waitFor(() => expect(view.model.of("preview")).toHaveLength(1));
    const asked = { frame: 0, object: 1, x: 10, y: 20, positive: true };
    expect(view.model.of("preview")).toEqual([{ type: "preview", ...asked }]);
    view.model.receive({ type: "previewMask", ...asked, x: 11 }, [bufferOf(1)]);
    await view.settled();
    expect(view.root.dataset.hover).toBe("");
    view.model.receive({ type: "previewMask", ...asked }, [bufferOf(1)]);
    await view.settled();
    expect(view.root.dataset.hover).toBe("0:1");
    fire("pointermove", 140, 200, { altKey: true });
    await vi.waitFor(() => expect(view.model.of("preview")).toHaveLength(2));
    expect(view.root.dataset.hover).toBe("");
    expect(view.model.of("preview")[1]).toMatchObject({ x: 14, positive: false });
    expect(view.model.of("click")).toEqual([]);
  });

  it("asks nothing where the device is slow, a job runs, or another tool is in hand", async () => {
    view = await Opened.with({ previews: false });
    fire("pointermove", 100, 200);
    await wait(REST);
    view.model.receive({ ...view.state, previews: true });
    view.press("b");
    fire("pointermove", 200, 200);
    await wait(REST);
    view.press("p");
    const running = { kind: "track", status: "running", done: 0, total: 9, left_s: 1, note: "" };
    view.model.receive({ type: "job", id: 1, ...running });
    fire("pointermove", 300, 200);
    await wait(REST);
    expect(view.model.of("preview")).toEqual([]);
  });
});

describe("fingers", () => {
  const touch: PointerEventInit = { pointerType: "touch" };

  it("tap to click, and tap long to take away", async () => {
    view = await Opened.with();
    fire("pointerdown", 100, 200, touch);
    expect(view.model.of("click")).toEqual([]);
    fire("pointerup", 102, 200, touch);
    expect(view.model.of("click")).toMatchObject([{ x: 10.2, y: 20, positive: true }]);
    fire("pointerdown", 300, 200, touch);
    await wait(550);
    fire("pointerup", 300, 200, touch);
    expect(view.model.of("click")[1]).toMatchObject({ x: 30, positive: false });
  });

  it("pinch without clicking", async () => {
    view = await Opened.with();
    fire("pointerdown", 300, 200, touch);
    fire("pointerdown", 340, 200, { ...touch, pointerId: 2 });
    fire("pointermove", 420, 200, { ...touch, pointerId: 2 });
    fire("pointerup", 420, 200, { ...touch, pointerId: 2 });
    fire("pointerup", 300, 200, touch);
    expect(view.model.of("click")).toEqual([]);
  });

  it("say how they move and spread", () => {
    const fingers = new Fingers();
    fingers.down(1, { x: 0, y: 0 }, 0);
    expect(fingers.move(1, { x: 50, y: 0 })).toBeNull();
    fingers.down(2, { x: 70, y: 0 }, 10);
    expect(fingers.move(2, { x: 90, y: 0 })).toEqual({
      middle: { x: 60, y: 0 },
      by: { x: 10, y: 0 },
      factor: 2,
    });
    expect(fingers.up(2, 20)).toBeNull();
    expect(fingers.up(1, 30)).toBeNull();
  });
});

it("the time line shows the frame under the pointer and asks for it", async () => {
  view = await Opened.with();
  const track = view.root.querySelector(".lit-track") as HTMLElement;
  track.getBoundingClientRect = () => ({ left: 100, top: 0, width: 500, height: 20 }) as DOMRect;
  const small = () => view.root.querySelector(".lit-thumbnail") as HTMLElement;
  expect(small().hidden).toBe(true);
  fire("pointermove", 452, 5, {}, ".lit-track");
  await view.settled();
  expect(small().hidden).toBe(false);
  expect(small().textContent).toBe("frame 70 · 0:02.8");
  expect(view.model.of("requestFrames").some(({ indices }) => (indices as number[])[0] === 70)).toBe(true);
  fire("pointerleave", 0, 0, {}, ".lit-track");
  await view.settled();
  expect(small().hidden).toBe(true);
  expect(view.root.dataset.frame).toBe("0");
});

it("shows the brush's ring only while its tool is in hand", async () => {
  view = await Opened.with();
  const ring = view.root.querySelector(".lit-ring") as HTMLElement;
  fire("pointermove", 100, 200);
  expect(ring.hidden).toBe(true);
  for (const [key, hidden] of [
    ["b", false],
    ["p", true],
  ] as const) {
    view.press(key);
    await view.settled();
    expect(ring.hidden).toBe(hidden);
  }
});

it("calls for the first click until the pointer is pressed", async () => {
  view = await Opened.with();
  const hint = view.root.querySelector(".lit-hint") as HTMLElement;
  view.model.receive({ type: "frames", indices: [0] }, [bufferOf(1)]);
  await view.settled();
  expect([hint.hidden, hint.textContent]).toEqual([false, "Click the object to follow"]);
  view.press("x");
  fire("pointerdown", 100, 200, { button: 0 });
  await view.settled();
  expect(hint.hidden).toBe(true);
});

describe("without a kernel", () => {
  it("the click that finds it gone leaves nothing, and the next ones are refused in sight", async () => {
    view = await Opened.with({ can_undo: true });
    const { root, model } = view;
    model.send = () => {
      throw new Error("the kernel is gone");
    };
    fire("pointerdown", 100, 200, { button: 0 });
    await view.settled();
    expect(root.dataset).toMatchObject({ status: "disconnected", prompts: "0" });
    expect(root.querySelector(".lit-hint")?.textContent).toMatch(/^Not connected: nothing can be changed/);
    const dead = [".lit-tool", "[aria-label=Undo]"].map(
      (each) => root.querySelector<HTMLButtonElement>(each)?.disabled,
    );
    expect([...dead, root.querySelector<HTMLElement>(".lit-panel")?.inert]).toEqual([true, true, true]);
    fire("pointerup", 100, 200);
    fire("pointerdown", 300, 200, { button: 0 });
    for (const key of ["t", "h", "N", "z"]) view.press(key);
    await view.settled();
    expect([model.sent.filter(({ type }) => type === "click").length, root.dataset.prompts]).toEqual([
      0,
      "0",
    ]);
  });
});
