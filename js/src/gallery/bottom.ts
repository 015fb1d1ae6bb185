// The bottom row: what else can be done, what is going on, and how far the model has looked.

import { progressText } from "../actions";
import { button, h, setText } from "../dom";
import type { Commands } from "./commands";
import type { GalleryStore } from "./store";

export function statusText(store: GalleryStore): string {
  if (store.link === "disconnected") {
    return "Not connected: the kernel is busy, was restarted or stopped. If this stays, run the cell again";
  }
  const { state, look } = store;
  if (!state || !look) return "Waiting for the kernel";
  if (store.away) return "The notebook has the keys. Click the picture to use keys here again";
  if (store.notice) return store.notice;
  if (store.learning) return store.job?.note ?? "Learning";
  const left = look.n_images - look.n_unreadable - state.n_confirmed - state.n_accepted - state.n_corrected;
  if (look.status === "done" && look.n_unreadable === look.n_images) {
    return "No image can be read; the help (?) says why";
  }
  if (look.status === "done" && left - state.n_skipped <= 0) {
    return state.n_skipped > 0
      ? `All is done but ${state.n_skipped} skipped. w.labels is the table, w.export("labels.csv") writes it`
      : 'All is labelled. w.labels is the table, w.export("labels.csv") writes it';
  }
  if (store.image < 0) return "";
  return "⏎ takes the first guess, 1–9 another; type a name to search";
}

export function makeBottom(store: GalleryStore, commands: Commands) {
  const skip = button({
    icon: "forward",
    text: "Skip",
    label: "Skip: leave it without a label",
    key: "Space",
    run: commands.skip,
  });
  const flag = button({
    icon: "wrong",
    text: "Flag",
    label: "Flag: to be looked at again",
    key: "!",
    run: commands.flag,
  });
  const status = h("span", { class: "lit-status", role: "status", "aria-live": "polite" });
  const bar = h(
    "div",
    {
      class: "lit-bar",
      role: "progressbar",
      "aria-label": "Images that the model has looked at",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    },
    h("div", {}),
  );
  const numbers = h("span", { class: "lit-number lit-dim" });
  const stop = button({
    icon: "stop",
    text: "Stop",
    label: "Stop looking at images; labels stay",
    run: commands.stop,
  });
  const go = button({
    text: "Look on",
    label: "Look on: let the model look at the rest",
    run: commands.look,
  });
  const progress = h("div", { class: "lit-progress" }, bar, numbers, stop, go);
  const element = h(
    "div",
    { class: "lit-actions" },
    h("div", { class: "lit-group" }, skip, flag),
    h("div", { class: "lit-doing" }, status, progress),
  );

  function update(): void {
    const { look, tile } = store;
    const idle = store.state !== null && store.image >= 0 && store.link !== "disconnected";
    skip.disabled = flag.disabled = !idle;
    flag.setAttribute("aria-pressed", String(tile?.flagged ?? false));
    setText(status, statusText(store));
    const share = look ? Math.round((look.n_done / look.n_images) * 100) : 0;
    progress.classList.toggle("lit-shown", look !== null && look.status !== "done");
    stop.hidden = !store.looking;
    go.hidden = look?.status !== "stopped";
    bar.hidden = !store.looking;
    bar.setAttribute("aria-valuenow", String(share));
    (bar.firstElementChild as HTMLElement).style.width = `${share}%`;
    const told = look ? progressText({ done: look.n_done, total: look.n_images, left_s: look.left_s }) : "";
    setText(
      numbers,
      store.looking ? `looked at ${told}` : `${look?.n_done ?? 0} of ${look?.n_images ?? 0} looked at`,
    );
  }
  return { element, update };
}
