import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cutOut } from "../src/candidates";
import factory from "../src/index";
import type { Job, State } from "../src/messages";
import { bufferOf, FakeModel, someState, stubPictures } from "./fakes";

type Definition = ReturnType<typeof factory>;

let model: FakeModel;
let root: HTMLElement;
let host: HTMLElement;
let cleanups: (() => void)[];

const settle = () => new Promise((resolve) => setTimeout(resolve, 50));
const tracked = (last: number): Partial<State> => ({
  objects: [
    {
      id: 1,
      name: "rider",
      colour: "#e69f00",
      runs: [[0, last, "tracked"]],
      hidden: false,
      locked: false,
      changed: [],
    },
    { id: 2, name: "bike", colour: "#56b4e9", runs: [], hidden: false, locked: false, changed: [] },
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

const proposed = (n: number) => ({
  type: "proposalInfo",
  frame: 1,
  object: 1,
  candidates: Array.from({ length: n }, (_, i) => ({
    source: "adapter",
    adapter_version: i + 2,
    learned_from: [4 * i],
  })),
});
const job = (change: Partial<Job> = {}): Job => ({
  type: "job",
  id: 7,
  kind: "track",
  status: "running",
  done: 1,
  total: 9,
  left_s: 2,
  note: "",
  ...change,
});

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
    expect(model.sent[0]).toEqual({ type: "hello", protocol: 6 });
    const asked = model.of("requestFrames").map(({ indices }) => indices as number[]);
    expect(asked[0]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(Math.max(...asked.map((indices) => indices.length))).toBeLessThanOrEqual(16);
  });

  it("publishes its state", async () => {
    await open();
    const published = { ready: "true", status: "idle", frame: "0", framesCached: "3" };
    await vi.waitFor(() => expect(root.dataset).toMatchObject(published));
  });

  it("tells how full the memory is", async () => {
    await open({ memory: { used: 96, most: 128, file: 2048 } });
    const gauge = root.querySelector(".lit-gauge") as HTMLElement;
    expect(gauge.textContent).toBe("96 MB");
    expect(gauge.title).toBe(
      "Memory for frames and masks: 96 MB of 128 MB, and 2,048 MB in a temporary file",
    );
    expect((gauge.querySelector(".lit-level > span") as HTMLElement).style.width).toBe("75%");
    model.receive(someState({ memory: { used: 200, most: 128, file: 0 } }));
    await settle();
    expect(gauge.title).toBe("Memory for frames and masks: 200 MB of 128 MB");
    expect((gauge.querySelector(".lit-level > span") as HTMLElement).style.width).toBe("100%");
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
    expect(root.querySelector('.lit-object-name[aria-pressed="true"]')?.textContent).toContain("bike");
    expect(other.querySelector('.lit-object-name[aria-pressed="true"]')?.textContent).toContain("rider");
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
      someState({ ...tracked(9), standing: [{ frame: 0, object: 1, painted: false, box: [], first: true }] }),
    );
    press("Enter");
    expect(model.of("learn")).toEqual([{ type: "learn", frame: 0, object: 1 }]);
  });

  it("judge a proposal once, after it has been seen", async () => {
    await open(tracked(9));
    press("w");
    expect(model.of("flag")).toHaveLength(1);
    model.receive(proposed(1), [bufferOf(1)]);
    press("ArrowRight");
    press("a");
    expect(model.of("accept")).toHaveLength(0);
    press("a");
    press("a");
    expect(model.of("accept")).toEqual([{ type: "accept", candidate: 0 }]);
    await settle();
    expect(root.dataset.proposal).toBe("1:1");
    model.receive({ ...proposed(0), frame: -1 });
    await settle();
    expect(root.dataset.proposal).toBe("");
  });

  it("undo the latest step, be it answered or not", async () => {
    await open();
    press("z");
    expect(model.of("undo")).toHaveLength(0);
    click(100, 100);
    press("z");
    await settle();
    expect([model.of("undo").length, root.dataset.prompts]).toEqual([1, "0"]);
    model.receive(someState({ can_undo: true }));
    press("z", { ctrlKey: true });
    expect(model.of("undo")).toHaveLength(2);
  });

  it("redo what was undone", async () => {
    await open();
    press("Z", { shiftKey: true });
    expect(model.of("redo")).toHaveLength(0);
    model.receive(someState({ can_redo: true }));
    press("Z", { shiftKey: true });
    press("Z", { shiftKey: true, ctrlKey: true });
    press("y", { ctrlKey: true });
    await settle();
    (root.querySelector('[aria-label="Redo"]') as HTMLElement).click();
    expect(model.of("redo")).toHaveLength(4);
    expect(root.querySelector(".lit-help")?.textContent).toContain("Redo");
  });

  it("stop the job with Esc once, then let the focus go", async () => {
    await open();
    model.receive(job());
    root.focus();
    press("Escape");
    expect(model.of("cancel")).toHaveLength(1);
    expect(document.activeElement).toBe(root);
    press("Escape");
    expect(model.of("cancel")).toHaveLength(1);
    expect(document.activeElement).not.toBe(root);
    model.receive(job({ status: "done" }));
    await settle();
    expect(root.querySelector(".lit-status")?.textContent).toContain("The notebook has the keys");
    click(100, 100);
    expect(model.of("click"), "the first click only takes the keys back").toHaveLength(0);
    click(100, 100);
    expect(model.of("click")).toHaveLength(1);
  });

  it("leave a focused button its own", async () => {
    await open();
    const button = root.querySelector(".lit-button:not(:disabled)") as HTMLElement;
    expect(press(" ", {}, button).defaultPrevented).toBe(false);
  });
});

describe("candidates", () => {
  const shown = () => [...root.querySelectorAll(".lit-candidate")];

  it("are not offered where there is one", async () => {
    await open(tracked(9));
    model.receive(proposed(1), [bufferOf(1)]);
    await settle();
    expect((root.querySelector(".lit-candidates") as HTMLElement).hidden).toBe(true);
    press("2");
    expect(model.of("choose")).toHaveLength(1);
  });

  it("are picked by number or button, and the picked one is accepted", async () => {
    await open(tracked(9));
    model.receive(proposed(3), [bufferOf(1), bufferOf(2), bufferOf(3)]);
    await settle();
    const labels = shown().map((each) => each.getAttribute("aria-label"));
    expect(labels[1]).toBe("Candidate 2 of 3 · adapter v3");
    press("3");
    await settle();
    expect(shown().map((each) => each.getAttribute("aria-pressed"))).toEqual(["false", "false", "true"]);
    expect(root.querySelector(".lit-proposal-title")?.textContent).toContain(
      "candidate 3 of 3 · adapter v4 · learned from 8",
    );
    (shown()[1] as HTMLElement).click();
    press("a");
    expect(model.of("accept")).toEqual([{ type: "accept", candidate: 1 }]);
    expect(model.of("choose")).toHaveLength(0);
  });
});

it("cuts the same piece around all candidates, within the video", () => {
  const box = { x: 50, y: 10, width: 10, height: 10 };
  const video = { width: 64, height: 48 };
  expect(cutOut([box, { x: 0, y: 0, width: 0, height: 0 }], video, 1)).toEqual({
    x: 40,
    y: 3,
    width: 24,
    height: 24,
  });
  const whole = cutOut([], video, 2);
  expect([whole.x + whole.width / 2, whole.y + whole.height / 2]).toEqual([32, 24]);
});

describe("learned frames", () => {
  it("are a way to them, and corrections can be forgotten", async () => {
    const adapter = { object: 1, version: 2, learned_from: [8, 2], losses: [], update_s: 1 };
    const { objects = [] } = tracked(9);
    objects[0]?.runs.splice(0, 1, [0, 7, "tracked"], [8, 8, "accepted"], [9, 9, "tracked"]);
    await open({ objects, adapters: [adapter] });
    const chips = [...root.querySelectorAll(".lit-sources li")];
    const pressOn = (chip: number, name: string) =>
      chips[chip]?.querySelector<HTMLElement>(`[title^="${name}"]`)?.click();
    expect(chips.map((each) => each.textContent)).toEqual(["2", "8"]);
    expect(chips[1]?.querySelector('[title="Forget this correction"]')).toBeNull();
    pressOn(0, "Forget this correction");
    expect(model.of("forget")).toEqual([{ type: "forget", frame: 2, object: 1 }]);
    pressOn(1, "Learned from frame 8");
    await settle();
    expect(root.dataset.frame).toBe("8");
  });
});

describe("while tracking runs", () => {
  const newMask = (frame: number, version: number) =>
    model.receive({ type: "masks", items: [{ frame, object: 1, version, status: "tracked" }], forget: [] }, [
      bufferOf(1),
    ]);

  it("the view follows until the user moves away", async () => {
    await open(tracked(9));
    model.receive(job());
    newMask(1, 1);
    await settle();
    expect(root.dataset).toMatchObject({ frame: "1", following: "true" });
    expect(root.querySelector(".lit-status")?.textContent).toContain("following");
    press("ArrowLeft");
    model.receive(job({ done: 2 }));
    newMask(2, 2);
    await settle();
    expect(root.dataset).toMatchObject({ frame: "0", following: "false" });
    expect(root.querySelector(".lit-status")?.textContent).not.toContain("following");
  });

  it("a click stops the job and lands on the frame that is seen", async () => {
    await open(tracked(9));
    press("ArrowRight");
    press("ArrowRight");
    model.receive(job());
    await settle();
    // The pixels of frame 3 have not come: frame 2 is still on the screen.
    newMask(3, 1);
    click(100, 100);
    const after = model.sent.filter(({ type }) => type === "interrupt" || type === "click");
    expect(after).toEqual([
      { type: "interrupt" },
      { type: "click", frame: 2, object: 1, x: 10, y: 10, positive: true },
    ]);
    newMask(41, 2);
    model.receive(job({ status: "interrupted" }));
    await settle();
    expect(root.dataset).toMatchObject({ frame: "2", following: "false", job: "track:interrupted" });
  });

  it("a click while something else runs waits for it", async () => {
    await open(tracked(9));
    model.receive(job({ kind: "predict" }));
    click(100, 100);
    expect([model.of("interrupt").length, model.of("click").length]).toEqual([0, 1]);
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

it("says what is missing when there is nothing to track, and for which object", async () => {
  await open();
  const said = () => root.querySelector(".lit-status")?.textContent;
  press("t");
  await settle();
  expect([said(), model.of("track").length]).toEqual(["Nothing to track yet: click the object first", 0]);
  model.receive(someState({ ...tracked(9), active_object: 2 }));
  press("t");
  model.receive(job());
  await settle();
  expect([said(), model.of("track").length]).toEqual(["bike has no prompt yet: click it to track it too", 1]);
});

it("turns learning off and on", async () => {
  await open();
  const power = root.querySelector(".lit-switch") as HTMLElement;
  power.click();
  model.receive(someState({ learning: false }));
  await settle();
  expect(root.querySelector(".lit-learned")?.textContent).toContain("Off:");
  power.click();
  expect(model.of("setLearning").map(({ on }) => on)).toEqual([false, true]);
});

it("fills the window until Esc", async () => {
  await open();
  press("f");
  await settle();
  expect(root.classList.contains("lit-full")).toBe(true);
  root.focus();
  press("Escape");
  await settle();
  expect([root.classList.contains("lit-full"), document.activeElement]).toEqual([false, root]);
});
