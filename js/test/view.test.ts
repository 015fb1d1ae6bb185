import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import factory from "../src/index";
import type { State } from "../src/messages";
import { bufferOf, FakeModel, someState, stubPictures } from "./fakes";

type Definition = ReturnType<typeof factory>;

let model: FakeModel;
let root: HTMLElement;
let host: HTMLElement;
let cleanups: (() => void)[];

const settle = () => new Promise((resolve) => setTimeout(resolve, 50));
const tracked = (last: number): Partial<State> => ({
  objects: [
    { id: 1, name: "rider", colour: "#e69f00", runs: [[0, last, "tracked"]] },
    { id: 2, name: "bike", colour: "#56b4e9", runs: [] },
  ],
});

async function open(state: Partial<State> = {}, traits: Record<string, unknown> = {}): Promise<void> {
  model = new FakeModel(traits);
  const definition = factory();
  host = document.createElement("div");
  document.body.append(host);
  const props = { model, el: host } as unknown as Parameters<Definition["render"]>[0];
  cleanups = [definition.initialize(props as never), definition.render(props)];
  root = host.querySelector(".lit-widget") as HTMLElement;
  sizeCanvas();
  model.receive(someState(state));
  model.receive({ type: "frames", indices: [0, 1, 2] }, [bufferOf(1), bufferOf(2), bufferOf(3)]);
  await settle();
}

/** A canvas of 640 × 480 on the screen shows the 64 × 48 video ten times enlarged. */
function sizeCanvas(): void {
  const canvas = root.querySelector("canvas.lit-frame") as HTMLCanvasElement;
  canvas.getBoundingClientRect = () => ({ left: 0, top: 0, width: 640, height: 480 }) as DOMRect;
}

class SizedObserver {
  constructor(private readonly callback: () => void) {}
  observe(element: Element): void {
    Object.defineProperties(element, { clientWidth: { value: 640 }, clientHeight: { value: 480 } });
    this.callback();
  }
  disconnect(): void {}
}

function press(key: string, modifiers: KeyboardEventInit = {}, target: HTMLElement = root): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...modifiers });
  target.dispatchEvent(event);
  target.dispatchEvent(new KeyboardEvent("keyup", { key, bubbles: true, cancelable: true, ...modifiers }));
  return event;
}

function click(x: number, y: number, how: PointerEventInit = {}): void {
  const canvas = root.querySelector("canvas.lit-frame") as HTMLElement;
  canvas.dispatchEvent(new PointerEvent("pointerdown", { clientX: x, clientY: y, bubbles: true, ...how }));
}

beforeEach(() => {
  stubPictures();
  Object.assign(globalThis, { ResizeObserver: SizedObserver });
});
afterEach(() => {
  for (const cleanup of cleanups) cleanup();
  host.remove();
});

describe("opening", () => {
  it("says hello and asks for frames around the playhead in chunks", async () => {
    await open();
    expect(model.sent[0]).toEqual({ type: "hello", protocol: 1 });
    const asked = model.of("requestFrames").map(({ indices }) => indices as number[]);
    expect(asked[0]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(Math.max(...asked.map((indices) => indices.length))).toBeLessThanOrEqual(16);
  });

  it("publishes its state", async () => {
    await open();
    expect(root.dataset).toMatchObject({ ready: "true", status: "idle", frame: "0", framesCached: "3" });
  });

  it("leaves nothing behind", async () => {
    await open();
    for (const cleanup of cleanups) cleanup();
    expect(model.listeners).toBe(0);
    expect(host.children).toHaveLength(0);
  });

  it("keeps two views of one model apart", async () => {
    await open(tracked(9));
    const definition = factory();
    const other = document.createElement("div");
    const stop = definition.render({ model, el: other } as never);
    model.receive(someState(tracked(9)));
    press("2");
    await settle();
    expect(root.querySelector('.lit-object[aria-pressed="true"]')?.textContent).toContain("bike");
    expect(other.querySelector('.lit-object[aria-pressed="true"]')?.textContent).toContain("rider");
    stop();
  });
});

describe("clicks", () => {
  it.each([
    [{}, true],
    [{ altKey: true }, false],
    [{ shiftKey: true }, false],
    [{ button: 2 }, false],
  ])("with %j are sent in video pixels", async (how, positive) => {
    await open();
    click(205, 100, how);
    expect(model.of("click")).toEqual([{ type: "click", frame: 0, object: 1, x: 20.5, y: 10, positive }]);
  });

  it("show at once and count when the kernel confirms", async () => {
    await open();
    click(100, 100);
    await settle();
    expect(root.dataset.prompts).toBe("0");
    model.receive(someState({ prompts: [{ frame: 0, object: 1, x: 10, y: 10, positive: true }] }));
    await settle();
    expect(root.dataset.prompts).toBe("1");
  });
});

describe("keys", () => {
  it("go to the widget and not to the notebook", async () => {
    await open();
    const outside = vi.fn();
    document.body.addEventListener("keydown", outside);
    const handled = press("ArrowRight");
    expect([handled.defaultPrevented, outside.mock.calls.length]).toEqual([true, 0]);
    const other = press("s", { ctrlKey: true });
    expect([other.defaultPrevented, outside.mock.calls.length]).toEqual([false, 1]);
    document.body.removeEventListener("keydown", outside);
  });

  it("move the playhead", async () => {
    await open();
    press("ArrowRight");
    press("ArrowRight", { shiftKey: true });
    press("ArrowLeft");
    await settle();
    expect(root.dataset.frame).toBe("10");
    press("End");
    await settle();
    expect(root.dataset.frame).toBe("99");
  });

  it("track both ways", async () => {
    await open(tracked(9));
    press("t");
    press("T", { shiftKey: true });
    expect(model.of("track").map(({ reverse, start }) => [reverse, start])).toEqual([
      [false, 0],
      [true, 0],
    ]);
  });

  it("learn only where prompts stand", async () => {
    await open(tracked(9));
    press("Enter");
    expect(model.of("learn")).toHaveLength(0);
    model.receive(
      someState({ ...tracked(9), prompts: [{ frame: 0, object: 1, x: 1, y: 1, positive: true }] }),
    );
    press("Enter");
    expect(model.of("learn")).toEqual([{ type: "learn", frame: 0, object: 1 }]);
  });

  it("judge a proposal once, after it has been seen", async () => {
    await open(tracked(9));
    press("w");
    expect(model.of("flag")).toHaveLength(1);
    const proposal = { type: "proposalInfo", frame: 1, object: 1, adapter_version: 1, learned_from: [] };
    model.receive(proposal, [bufferOf(1)]);
    press("ArrowRight");
    press("a");
    expect(model.of("accept")).toHaveLength(0);
    press("a");
    press("a");
    expect(model.of("accept")).toHaveLength(1);
    await settle();
    expect(root.dataset.proposal).toBe("1:1");
    model.receive({ ...proposal, frame: -1 });
    await settle();
    expect(root.dataset.proposal).toBe("");
  });

  it("undo prompts first, then corrections", async () => {
    await open({ can_undo: true, prompts: [{ frame: 0, object: 1, x: 1, y: 1, positive: true }] });
    press("z");
    expect(model.of("clearPrompts")).toEqual([{ type: "clearPrompts", frame: 0, object: 1 }]);
    model.receive(someState({ can_undo: true }));
    press("z", { ctrlKey: true });
    expect(model.of("undo")).toHaveLength(1);
  });

  it("stop the job with Esc once, then let the focus go", async () => {
    await open();
    model.receive({
      type: "job",
      id: 7,
      kind: "track",
      status: "running",
      done: 1,
      total: 9,
      left_s: 2,
      note: "",
    });
    root.focus();
    press("Escape");
    expect(model.of("cancel")).toHaveLength(1);
    expect(document.activeElement).toBe(root);
    press("Escape");
    expect(model.of("cancel")).toHaveLength(1);
    expect(document.activeElement).not.toBe(root);
  });

  it("leave a focused button its own", async () => {
    await open();
    const button = root.querySelector(".lit-button:not(:disabled)") as HTMLElement;
    expect(press(" ", {}, button).defaultPrevented).toBe(false);
  });
});

it("shows errors as text and puts them away", async () => {
  await open();
  model.receive({ type: "error", message: "<img src=x onerror=alert(1)>" });
  await settle();
  const bar = root.querySelector(".lit-error") as HTMLElement;
  expect([bar.hidden, bar.querySelector("img"), root.dataset.status]).toEqual([false, null, "error"]);
  expect(bar.textContent).toContain("<img");
  (bar.querySelector("button") as HTMLElement).click();
  await settle();
  expect(bar.hidden).toBe(true);
});

it("keeps the frame trait in step, both ways", async () => {
  await open();
  model.set("frame_index", 2);
  await settle();
  expect(root.dataset.frame).toBe("2");
  press("ArrowLeft");
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(model.get("frame_index")).toBe(1);
  expect(model.saved).toBe(1);
});
