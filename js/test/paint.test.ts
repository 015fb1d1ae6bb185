import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fillBits, strokeBits } from "../src/bits";
import { decodeMask, encodeMask } from "../src/codec";
import type { State } from "../src/messages";
import { Opened, stubPictures } from "./fakes";

const size = { width: 64, height: 48 };
const count = (bits: Uint8Array) => bits.reduce((sum, bit) => sum + bit, 0);
const at = (bits: Uint8Array, x: number, y: number) => bits[y * size.width + x];

describe("bits", () => {
  it("of a dot are a disc, cut off at the border, and an eraser takes them away", () => {
    const bits = new Uint8Array(64 * 48);
    strokeBits(bits, size, [{ x: 32, y: 24 }], 5, 1);
    expect(count(bits)).toBeCloseTo(Math.PI * 25, -1);
    expect([at(bits, 36, 24), at(bits, 37, 24)]).toEqual([1, 0]);
    strokeBits(bits, size, [{ x: 32, y: 24 }], 5, 0);
    expect(count(bits)).toBe(0);
    strokeBits(bits, size, [{ x: -1, y: -1 }], 3, 1);
    strokeBits(bits, size, [{ x: 70, y: 10 }], 3, 1);
    expect([count(bits), at(bits, 0, 0)]).toEqual([3, 1]);
  });

  it("of a line have no gaps", () => {
    const bits = new Uint8Array(64 * 48);
    const way = [
      { x: 5, y: 5 },
      { x: 60, y: 40 },
    ];
    strokeBits(bits, size, way, 2, 1);
    for (let x = 6; x < 59; x++) expect(at(bits, x, Math.floor(5 + ((x + 0.5 - 5) * 35) / 55))).toBe(1);
  });

  it("of a polygon are those whose centres it encloses, even-odd", () => {
    const bits = new Uint8Array(64 * 48);
    const square = (from: number, to: number) => [
      { x: from, y: from },
      { x: to, y: from },
      { x: to, y: to },
      { x: from, y: to },
    ];
    fillBits(bits, size, square(10, 20), 1);
    expect([count(bits), at(bits, 10, 10), at(bits, 20, 20)]).toEqual([100, 1, 0]);
    fillBits(bits, size, square(12, 14), 0);
    expect(count(bits)).toBe(96);
    fillBits(bits, size, square(-10, 500), 1);
    expect(count(bits)).toBe(64 * 48);
  });

  it("survive the way to the kernel", async () => {
    const bits = Uint8Array.from({ length: 35 }, (_, i) => ((i * i) % 3) & 1);
    const bytes = new Uint8Array(await encodeMask(bits));
    expect(await decodeMask(bytes, 5, 7)).toEqual(bits);
  });
});

describe("a tool", () => {
  let view: Opened;
  const painted: Partial<State> = {
    standing: [{ frame: 0, object: 1, painted: true, box: [], first: true }],
  };

  beforeEach(async () => {
    stubPictures();
    view = await Opened.with();
  });
  afterEach(() => view.close());

  const sent = async (i: number) => {
    await vi.waitUntil(() => view.model.buffers.length > i);
    return decodeMask(new Uint8Array(view.model.buffers[i] as ArrayBuffer), size.width, size.height);
  };

  it("brushes, erases and sends whole masks; each is a step to take back", async () => {
    view.press("b");
    view.drag([
      [200, 200],
      [300, 200],
    ]);
    await view.settled();
    const first = await sent(0);
    expect(view.model.of("giveMask")).toEqual([{ type: "giveMask", frame: 0, object: 1 }]);
    expect([at(first, 20, 20), at(first, 30, 20), at(first, 50, 20)]).toEqual([1, 1, 0]);
    view.model.receive({ ...view.state, ...painted });
    view.press("e");
    view.press("[");
    view.drag([[250, 200]]);
    await view.settled();
    const second = await sent(1);
    expect([at(second, 25, 20), at(second, 32, 20)]).toEqual([0, 1]);
    view.press("z");
    expect(view.model.of("undo")).toHaveLength(1);
  });

  it("lassoes by a drag, and with Alt takes away", async () => {
    view.press("l");
    const around: [number, number][] = [
      [100, 100],
      [300, 100],
      [300, 300],
      [100, 300],
    ];
    view.drag(around);
    await view.settled();
    expect(count(await sent(0))).toBe(400);
    view.drag(
      around.map(([x, y]) => [x / 2, y / 2]),
      { altKey: true },
    );
    await view.settled();
    expect(count(await sent(1))).toBe(400 - 25);
  });

  it("closes a polygon of clicks with Enter, and drops it with Esc", async () => {
    const corners: [number, number][] = [
      [100, 100],
      [300, 100],
      [300, 300],
    ];
    view.press("l");
    view.root.focus();
    for (const corner of corners) view.click(...corner);
    view.press("Escape");
    expect(document.activeElement).toBe(view.root);
    for (const corner of corners) view.click(...corner);
    await view.settled();
    expect(view.root.querySelector(".lit-hint")?.textContent).toContain(
      "\u23ce or the first corner closes it",
    );
    view.press("Enter");
    expect(count(await sent(0))).toBeCloseTo(200, -2);
    expect([view.model.buffers.length, view.model.of("learn").length]).toEqual([1, 0]);
  });

  it("draws boxes in order of the corners, and refuses a mere click", async () => {
    view.press("x");
    view.drag([
      [300, 250],
      [400, 20],
      [100, 50],
    ]);
    view.click(10, 10);
    const box = { type: "box", frame: 0, object: 1, x0: 10, y0: 5, x1: 30, y1: 25 };
    expect(view.model.of("box")).toEqual([box]);
  });

  it("shows what the kernel refuses no longer", async () => {
    view.press("b");
    view.drag([[200, 200]]);
    await vi.waitFor(() => expect(view.root.dataset.masks).toBe("1"));
    view.model.receive({ type: "error", message: "no" });
    await view.settled();
    expect(view.root.dataset.masks).toBe("0");
  });
});

it("lists prompts, each with a way to take it back", async () => {
  stubPictures();
  const view = await Opened.with({
    standing: [
      { frame: 2, object: 1, painted: true, box: [], first: false },
      { frame: 9, object: 2, painted: false, box: [], first: false },
    ],
    prompts: [
      { frame: 2, object: 1, x: 3, y: 4, positive: true },
      { frame: 2, object: 1, x: 5.4, y: 6, positive: false },
    ],
  });
  const list = view.root.querySelector(".lit-prompts") as HTMLElement;
  expect([...list.querySelectorAll("button")].map((each) => each.textContent)).toEqual([
    "2",
    "painted mask",
    "+",
    "−",
  ]);
  (list.querySelector('[aria-label="Take back the click at 5, 6 on frame 2"]') as HTMLElement).click();
  expect(view.model.of("removePrompt")).toEqual([{ type: "removePrompt", frame: 2, object: 1, index: 1 }]);
  view.close();
});
