// A model without a kernel, messages to feed it with, and a view of it to act on.

import factory from "../src/index";
import type { State } from "../src/messages";

type Callback = (...args: unknown[]) => void;

export class FakeModel {
  readonly sent: { type: string; [field: string]: unknown }[] = [];
  readonly buffers: ArrayBuffer[] = [];
  saved = 0;
  #traits: Record<string, unknown>;
  #callbacks = new Map<string, Set<Callback>>();

  constructor(traits: Record<string, unknown> = {}) {
    this.#traits = { preview: null, frame_index: 0, transport: "push", view_height: 420, ...traits };
  }

  get(name: string): unknown {
    return this.#traits[name];
  }

  set(name: string, value: unknown): void {
    if (this.#traits[name] === value) return;
    this.#traits[name] = value;
    this.emit(`change:${name}`);
  }

  save_changes(): void {
    this.saved++;
  }

  send(content: { type: string }, _?: undefined, buffers: ArrayBuffer[] = []): void {
    this.sent.push(content);
    this.buffers.push(...buffers);
  }

  on(event: string, callback: Callback): void {
    this.#callbacks.set(event, (this.#callbacks.get(event) ?? new Set()).add(callback));
  }

  off(event: string, callback: Callback): void {
    this.#callbacks.get(event)?.delete(callback);
  }

  emit(event: string, ...args: unknown[]): void {
    for (const callback of [...(this.#callbacks.get(event) ?? [])]) callback(...args);
  }

  receive(content: unknown, buffers: DataView[] = []): void {
    this.emit("msg:custom", content, buffers);
  }

  get listeners(): number {
    return [...this.#callbacks.values()].reduce((sum, callbacks) => sum + callbacks.size, 0);
  }

  of(type: string): { [field: string]: unknown }[] {
    return this.sent.filter((message) => message.type === type);
  }
}

export const someState = (change: Partial<State> = {}): State => ({
  type: "state",
  protocol: 6,
  model: "pocket",
  video: { name: "clip.mp4", n_frames: 100, height: 48, width: 64, fps: 25 },
  objects: [{ id: 1, name: "rider", colour: "#e69f00", runs: [], hidden: false, locked: false, changed: [] }],
  adapters: [],
  standing: [],
  prompts: [],
  palette: [
    ["blue", "#0072B2"],
    ["orange", "#E69F00"],
  ],
  learning: true,
  range: [],
  active_object: 1,
  proposes: true,
  proposes_untaught: false,
  panel: true,
  saved: false,
  can_undo: false,
  can_redo: false,
  n_corrections: 0,
  n_accepted: 0,
  saved_s: 0,
  memory: { used: 64, most: 256, file: 0 },
  previews: false,
  ...change,
});

export const bufferOf = (...bytes: number[]): DataView => new DataView(new Uint8Array(bytes).buffer);

/** What happy-dom lacks: canvases that paint nothing, bitmaps that are as large as they say. */
export function stubPictures(): void {
  Object.assign(globalThis, {
    createImageBitmap: async () => ({ width: 64, height: 48, close() {} }),
    ResizeObserver: class {
      constructor(private readonly callback: () => void) {}
      observe(element: Element): void {
        Object.defineProperties(element, { clientWidth: { value: 640 }, clientHeight: { value: 480 } });
        this.callback();
      }
      disconnect(): void {}
    },
    Path2D: class {
      moveTo(): void {}
      lineTo(): void {}
    },
  });
  HTMLCanvasElement.prototype.getContext = (() => null) as HTMLCanvasElement["getContext"];
}

/** A view of a video of 64 × 48 pixels, shown ten times enlarged, of which three frames have come. */
export class Opened {
  readonly model: FakeModel;
  readonly root: HTMLElement;
  #stop: (() => void)[];

  private constructor(readonly state: State) {
    this.model = new FakeModel();
    const definition = factory();
    const el = document.createElement("div");
    document.body.append(el);
    const props = { model: this.model, el } as unknown as Parameters<typeof definition.render>[0];
    this.#stop = [definition.initialize(props as never), definition.render(props), () => el.remove()];
    this.root = el.querySelector(".lit-widget") as HTMLElement;
    const canvas = this.root.querySelector("canvas.lit-frame") as HTMLCanvasElement;
    canvas.getBoundingClientRect = () => ({ left: 0, top: 0, width: 640, height: 480 }) as DOMRect;
  }

  static async with(state: Partial<State> = {}): Promise<Opened> {
    const opened = new Opened(someState(state));
    opened.model.receive(opened.state);
    opened.model.receive({ type: "frames", indices: [0, 1, 2] }, [bufferOf(1), bufferOf(2), bufferOf(3)]);
    await opened.settled();
    return opened;
  }

  settled(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, 50));
  }

  press(key: string, modifiers: KeyboardEventInit = {}, target: HTMLElement = this.root): KeyboardEvent {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...modifiers });
    target.dispatchEvent(event);
    target.dispatchEvent(new KeyboardEvent("keyup", { key, bubbles: true, cancelable: true, ...modifiers }));
    return event;
  }

  /** Press, drag through points on the screen, and let go. */
  drag(points: [x: number, y: number][], how: PointerEventInit = {}): void {
    const canvas = this.root.querySelector("canvas.lit-frame") as HTMLElement;
    const fire = (type: string, [clientX, clientY]: [number, number]) =>
      canvas.dispatchEvent(
        new PointerEvent(type, { clientX, clientY, bubbles: true, cancelable: true, pointerId: 1, ...how }),
      );
    fire("pointerdown", points[0] as [number, number]);
    for (const point of points.slice(1)) fire("pointermove", point);
    fire("pointerup", points.at(-1) as [number, number]);
  }

  click(x: number, y: number, how: PointerEventInit = {}): void {
    this.drag([[x, y]], how);
  }

  close(): void {
    for (const stop of this.#stop.reverse()) stop();
  }
}
