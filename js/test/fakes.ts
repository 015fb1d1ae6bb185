// A model without a kernel, and messages to feed it with.

import type { State } from "../src/messages";

type Callback = (...args: unknown[]) => void;

export class FakeModel {
  readonly sent: { type: string; [field: string]: unknown }[] = [];
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

  send(content: { type: string }): void {
    this.sent.push(content);
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
  protocol: 2,
  model: "pocket",
  video: { name: "clip.mp4", n_frames: 100, height: 48, width: 64, fps: 25 },
  objects: [{ id: 1, name: "rider", colour: "#e69f00", runs: [] }],
  adapters: [],
  prompts: [],
  active_object: 1,
  proposes_untaught: false,
  can_undo: false,
  can_redo: false,
  n_corrections: 0,
  n_accepted: 0,
  saved_s: 0,
  ...change,
});

export const bufferOf = (...bytes: number[]): DataView => new DataView(new Uint8Array(bytes).buffer);

/** What happy-dom lacks: canvases that paint nothing, bitmaps that are as large as they say. */
export function stubPictures(): void {
  Object.assign(globalThis, {
    createImageBitmap: async () => ({ width: 64, height: 48, close() {} }),
    ResizeObserver: class {
      observe(): void {}
      disconnect(): void {}
    },
    Path2D: class {
      moveTo(): void {}
      lineTo(): void {}
    },
  });
  HTMLCanvasElement.prototype.getContext = (() => null) as HTMLCanvasElement["getContext"];
}
