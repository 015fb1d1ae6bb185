// One view of the gallery: puts the parts together and keeps them up to date.

import { h } from "../dom";
import { fillWindow, keepShortcutsOut, once, releaseFocus, rootAttributes } from "../host";
import { makeErrorBar } from "../overlays";
import type { Transport } from "../transport";
import { makeBottom } from "./bottom";
import { type Commands, makeCommands } from "./commands";
import { makeGuesses } from "./guesses";
import { makeHelp } from "./help";
import { listenToKeys } from "./keys";
import { makeLearning } from "./learning";
import type { ToGallery, ToKernel } from "./messages";
import { makeStage } from "./stage";
import { GalleryStore } from "./store";
import { makeStrip } from "./strip";
import { makeToolbar } from "./toolbar";

/** What a view needs of an anywidget model. */
export interface Model {
  get(name: "view_height"): number;
  on(event: string, callback: () => void): void;
  off(event: string, callback: () => void): void;
}

const ASK_AGAIN_MS = 2000;
const PREFETCHED = 4;

/** Draw the gallery into `el`; returns what takes it away again. */
export function makeView(
  model: Model,
  transport: Transport<ToKernel, ToGallery>,
  el: HTMLElement,
): () => void {
  const store = new GalleryStore();
  const commands = makeCommands({
    store,
    transport,
    releaseFocus: () => releaseFocus(el),
    focusSearch: (text) => {
      // At once, so that the next letter is added to it.
      if (text !== null) input.value = text;
      (text === null ? root : input).focus({ preventScroll: true });
    },
  });
  const { root, input, update } = assemble(store, commands);
  const refresh = once(update);
  el.append(root);

  const fetchPictures = () => {
    const send = (message: ToKernel) => transport.send(message);
    const { small, large } = wanted(store);
    store.pictures.large.want(large, send);
    store.pictures.small.want(small, send);
  };
  const askAgain = setInterval(fetchPictures, ASK_AGAIN_MS);
  keepShortcutsOut(root);
  const stopKeys = listenToKeys(root, input, commands);
  const unsubscribe = store.subscribe(() => {
    fetchPictures();
    refresh();
  });
  const height = () => root.style.setProperty("--lit-height", `${model.get("view_height") || 420}px`);
  height();
  model.on("change:view_height", height);
  const unlisten = transport.listen({
    message: (message, buffers) => store.receive(message, buffers),
    link: (link) => store.set({ link }),
    problem: (error) => store.set({ error }),
  });
  transport.hello();
  refresh();

  return () => {
    for (const stop of [unlisten, unsubscribe, stopKeys]) stop();
    model.off("change:view_height", height);
    clearInterval(askAgain);
    refresh.cancel();
    store.pictures.clear();
    root.remove();
  };
}

/** The pictures that are in sight or soon will be, the most wanted first. */
function wanted(store: GalleryStore): { small: number[]; large: number[] } {
  const tiles = store.state?.tiles ?? [];
  const at = Math.max(
    0,
    tiles.findIndex(({ image }) => image === store.image),
  );
  const ahead = tiles.slice(at).map(({ image }) => image);
  const behind = tiles.slice(0, at).map(({ image }) => image);
  const upcoming = [...store.cards.keys()].filter((image) => !tiles.some((tile) => tile.image === image));
  const large = [store.image, ...ahead, ...upcoming].filter((image) => image >= 0);
  const learned = store.state?.adapter.learned_from.slice(-24) ?? [];
  return {
    large: [...new Set(large)].slice(0, PREFETCHED),
    small: [...new Set([...ahead, ...behind.reverse(), ...learned])],
  };
}

/** Build the elements; `update` brings all of them up to the state of the store. */
function assemble(store: GalleryStore, commands: Commands) {
  const toolbar = makeToolbar(store, commands);
  const stage = makeStage(store);
  const guesses = makeGuesses(store, commands);
  const learning = makeLearning(store, commands);
  const strip = makeStrip(store, commands);
  const bottom = makeBottom(store, commands);
  const error = makeErrorBar(store, commands);
  const help = makeHelp(store, commands);
  stage.element.append(error.element);
  const panel = h(
    "div",
    { class: "lit-panel lit-scroll", role: "group", "aria-label": "Guesses and learning", tabindex: 0 },
    guesses.element,
    learning.element,
  );
  const body = h("div", { class: "lit-body" }, stage.element, panel);
  const root = h(
    "div",
    { ...rootAttributes("Image labelling"), class: "lit-widget lit-gallery" },
    toolbar.element,
    body,
    strip.element,
    bottom.element,
    help.element,
  );

  function update(): void {
    for (const part of [toolbar, stage, guesses, learning, strip, bottom, error, help]) part.update();
    if (store.full !== root.classList.contains("lit-full")) fillWindow(root, store.full);
    publish(root, store);
  }
  return { root, input: guesses.input, update };
}

/** What tests and other scripts may read of a view. */
function publish(root: HTMLElement, store: GalleryStore): void {
  const { state, look, job } = store;
  const painted = store.pictures.large.get(store.image);
  if (state && look && (store.image < 0 || painted)) root.dataset.ready = "true";
  const waiting = store.pending.size > 0 || job?.status === "running";
  Object.assign(root.dataset, {
    status:
      store.link === "disconnected" ? "disconnected" : waiting ? "running" : store.error ? "error" : "idle",
    look: look?.status ?? "",
    looked: String(look?.n_done ?? 0),
    image: String(store.image),
    painted: String(painted && !painted.broken ? store.image : -1),
    guesses: store.guesses.map(({ label }) => store.nameOf(label)).join("|"),
    pending: String(store.pending.size),
    search: store.search?.text ?? "",
    labelled: String((state?.n_confirmed ?? 0) + (state?.n_accepted ?? 0) + (state?.n_corrected ?? 0)),
    saved: String(state?.n_accepted ?? 0),
    corrected: String(state?.n_corrected ?? 0),
    skipped: String(state?.n_skipped ?? 0),
    flagged: String(state?.n_flagged ?? 0),
    group: String(state?.group ?? -1),
    adapterVersion: String(state?.adapter.version ?? 0),
  });
}
