// One view of the widget: puts the parts together and keeps them up to date.

import { makeActions } from "./actions";
import { FrameCanvas } from "./canvas";
import { bytesOf, decodeFrame } from "./codec";
import { type Commands, makeCommands } from "./commands";
import { h } from "./dom";
import { fillWindow, keepShortcutsOut, once, releaseFocus, rootAttributes } from "./host";
import { Hover } from "./hover";
import { listenToKeys } from "./keys";
import { makeOverlays } from "./overlays";
import { makePanel } from "./panel";
import { Player } from "./player";
import { listenToPointer } from "./pointer";
import { Prefetch } from "./prefetch";
import { adapterOf, objectOf } from "./rules";
import { Store } from "./store";
import { makeTimeline } from "./timeline";
import { makeToolbar } from "./toolbar";
import { boxTool } from "./tools/box";
import { lassoTool } from "./tools/lasso";
import { paintTool } from "./tools/paint";
import { pointTool } from "./tools/point";
import type { Tool } from "./tools/tool";
import type { Transport } from "./transport";

export interface Traits {
  preview: DataView | null;
  frame_index: number;
  transport: "push" | "poll";
  view_height: number;
}

/** What a view needs of an anywidget model. */
export interface Model {
  get<K extends keyof Traits>(name: K): Traits[K];
  set<K extends keyof Traits>(name: K, value: Traits[K]): void;
  on(event: string, callback: () => void): void;
  off(event: string, callback: () => void): void;
  save_changes(): void;
}

const WRITE_FRAME_MS = 150;
const ASK_AGAIN_MS = 2000;
const ROOT = rootAttributes("Video annotation");

/** Draw the widget into `el`; returns what takes it away again. */
export function makeView(model: Model, transport: Transport, el: HTMLElement): () => void {
  const store = new Store();
  const canvas = new FrameCanvas(store, () => refresh());
  const commands = makeCommands({
    store,
    transport,
    setLook: (look) => canvas.setLook(look),
    releaseFocus: () => releaseFocus(el),
    painted: () => canvas.painted,
    size: () => canvas.video,
    tool: () => tool(),
    prepare: (mask, bits) => {
      const colour = store.state && objectOf(store.state, mask.object)?.colour;
      canvas.layers.prepare(mask, bits, canvas.video, colour ?? "#0072b2");
    },
  });
  const tools = [
    pointTool(commands),
    boxTool(store, commands),
    paintTool(store, commands, "brush"),
    paintTool(store, commands, "eraser"),
    lassoTool(store, commands),
  ];
  const tool = () => tools.find(({ name }) => name === store.tool) as Tool;
  const { root, stage, update } = assemble(store, commands, canvas, tools);
  const refresh = once(update);
  el.append(root);

  const player = new Player(store);
  const prefetch = new Prefetch(store, transport);
  // What was lost on the way is asked for again even if nothing else happens.
  const askAgain = setInterval(() => prefetch.update(), ASK_AGAIN_MS);
  keepShortcutsOut(root);
  const keyboard = listenToKeys(root, commands);
  const hover = new Hover({ store, transport, size: () => canvas.video, current: () => canvas.current });
  const stopPointer = listenToPointer({
    root,
    canvas,
    keyboard,
    hover,
    tool,
    away: () => store.away,
    enabled: () =>
      store.state !== null && (store.following || canvas.current || store.frames.has(store.frame)),
  });

  const { write: writeFrame, stop: stopFrame } = syncFrame(model, store);
  const unsubscribe = store.subscribe(() => {
    player.update();
    prefetch.update();
    writeFrame();
    refresh();
  });
  const stopTraits = followTraits(model, root, canvas);
  const stopSize = followSize(stage, canvas);
  const unlisten = transport.listen({
    message: (message, buffers) => {
      store.receive(message, buffers);
      if (message.type === "masks") canvas.prepare();
    },
    link: (link) => store.set({ link }),
    problem: (error) => store.set({ error }),
  });
  transport.hello();
  refresh();

  return () => {
    for (const stop of [unlisten, unsubscribe, stopFrame, stopTraits, stopSize, stopPointer]) stop();
    clearInterval(askAgain);
    keyboard.stop();
    player.stop();
    hover.leave();
    tool().stop();
    canvas.setPreview(null);
    refresh.cancel();
    store.frames.clear();
    store.masks.clear();
    root.remove();
  };
}

/** Build the elements; `update` brings all of them up to the state of the store. */
function assemble(store: Store, commands: Commands, canvas: FrameCanvas, tools: Tool[]) {
  const toolbar = makeToolbar(store, commands, tools);
  const panel = makePanel(store, commands, canvas);
  const timeline = makeTimeline(store, commands, canvas);
  const actions = makeActions(store, commands);
  const overlays = makeOverlays(store, commands);
  actions.element.append(overlays.proposal);
  const stage = h("div", { class: "lit-stage" }, canvas.element, canvas.ring, ...overlays.onStage);
  const body = h("div", { class: "lit-body" }, stage, panel.element);
  const root = h("div", ROOT, toolbar.element, body, timeline.element, actions.element, overlays.help);

  function update(): void {
    const { width, height } = canvas.video;
    stage.style.setProperty("--lit-aspect", `${width} / ${height}`);
    canvas.draw();
    const name = store.state?.video.name ?? "the video";
    canvas.element.setAttribute("aria-label", `Frame ${store.frame} of ${name}`);
    for (const part of [toolbar, panel, timeline, actions, overlays]) part.update();
    if (store.full !== root.classList.contains("lit-full")) fillWindow(root, store.full);
    publish(root, store, canvas);
  }
  return { root, stage, update };
}

/** What tests and other scripts may read of a view. */
function publish(root: HTMLElement, store: Store, canvas: FrameCanvas): void {
  const { state, job, proposal } = store;
  const status =
    store.link === "disconnected"
      ? "disconnected"
      : store.running
        ? "running"
        : store.error
          ? "error"
          : "idle";
  if (canvas.painted >= 0) root.dataset.ready = "true";
  Object.assign(root.dataset, {
    status,
    painted: String(canvas.painted),
    job: job ? `${job.kind}:${job.status}` : "",
    frame: String(store.frame),
    framesCached: String(store.frames.count),
    masks: String(store.masks.count),
    maskPixels: String(canvas.maskPixels),
    prompts: String(state?.prompts.length ?? 0),
    standing: state?.standing.map(({ frame, object }) => `${frame}:${object}`).join(" ") ?? "",
    tool: store.tool,
    brush: String(store.brush),
    proposal: proposal ? `${proposal.frame}:${proposal.object}` : "",
    candidate: proposal ? `${proposal.picked + 1}/${proposal.candidates.length}` : "",
    following: String(store.following),
    hover: store.hover ? `${store.hover.frame}:${store.hover.object}` : "",
    objects: String(state?.objects.length ?? 0),
    active: String(store.active),
    adapterVersion: String((state && adapterOf(state, store.active)?.version) ?? 0),
  });
}

/** Keep the `frame_index` trait and the playhead together; writes are spread out while the user scrubs. */
function syncFrame(model: Model, store: Store) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let written = model.get("frame_index");
  store.seek(written);

  function save(): void {
    timer = undefined;
    if (store.frame === written || !store.state) return;
    written = store.frame;
    model.set("frame_index", written);
    model.save_changes();
  }
  function follow(): void {
    const frame = model.get("frame_index");
    // Other views follow the tracking as well; what they write would only make this one jump.
    if (frame === written || store.following) return;
    written = frame;
    store.seek(frame);
  }
  model.on("change:frame_index", follow);
  return {
    write(): void {
      if (store.frame !== written) timer ??= setTimeout(save, WRITE_FRAME_MS);
    },
    stop(): void {
      clearTimeout(timer);
      model.off("change:frame_index", follow);
    },
  };
}

function followTraits(model: Model, root: HTMLElement, canvas: FrameCanvas): () => void {
  let stopped = false;
  const height = () => root.style.setProperty("--lit-height", `${model.get("view_height") || 420}px`);
  const preview = async () => {
    const bytes = model.get("preview");
    if (!bytes?.byteLength) return;
    const bitmap = await decodeFrame(bytesOf(bytes)).catch(() => null);
    if (stopped) bitmap?.close();
    else canvas.setPreview(bitmap);
  };
  height();
  void preview();
  model.on("change:view_height", height);
  model.on("change:preview", preview);
  return () => {
    stopped = true;
    model.off("change:view_height", height);
    model.off("change:preview", preview);
  };
}

function followSize(stage: HTMLElement, canvas: FrameCanvas): () => void {
  const observer = new ResizeObserver(() => {
    const { clientWidth: width, clientHeight: height } = stage;
    if (width > 0 && height > 0) canvas.resize({ width, height }, window.devicePixelRatio || 1);
  });
  observer.observe(stage);
  return () => observer.disconnect();
}
