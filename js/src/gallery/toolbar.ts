// The top row: what is labelled and how far it is, undo, which model, help.

import { button, h, setText } from "../dom";
import type { Commands } from "./commands";
import type { GalleryStore } from "./store";

const LINKS = {
  connecting: "connecting to the kernel",
  connected: "connected",
  disconnected: "not connected",
} as const;

export function makeToolbar(store: GalleryStore, commands: Commands) {
  const undo = button({ icon: "undo", label: "Undo", key: "⌫", run: commands.undo });
  const redo = button({ icon: "redo", label: "Redo", key: "⇧⌫", run: commands.redo });
  const full = button({ icon: "full", label: "Fill the window", key: "F2", run: commands.toggleFull });
  const help = button({ text: "?", label: "Help: keys", run: commands.toggleHelp });
  help.title = "Help (?)";
  const title = h("span", { class: "lit-title" });
  const position = h("span", { class: "lit-position" });
  const model = h("span", { class: "lit-model" });
  const link = h(
    "span",
    { class: "lit-link" },
    h("span", { class: "lit-dot", "aria-hidden": "true" }),
    model,
  );
  const element = h(
    "div",
    { class: "lit-toolbar", role: "toolbar", "aria-label": "Labelling" },
    h("div", { class: "lit-group" }, undo, redo),
    h("div", { class: "lit-about" }, title, position),
    link,
    full,
    help,
  );

  function update(): void {
    const { state } = store;
    undo.disabled = !state?.can_undo;
    redo.disabled = !state?.can_redo;
    full.setAttribute("aria-pressed", String(store.full));
    help.setAttribute("aria-expanded", String(store.help));
    setText(title, state?.title ?? "");
    if (state) {
      const labelled = state.n_confirmed + state.n_accepted + state.n_corrected;
      const more = [
        state.n_skipped > 0 ? `${state.n_skipped} skipped` : "",
        state.n_flagged > 0 ? `${state.n_flagged} flagged` : "",
      ].filter(Boolean);
      const unread = store.look?.n_unreadable ?? 0;
      if (unread > 0) more.push(`${unread} unreadable`);
      setText(position, [`${labelled} of ${state.n_images - unread} labelled`, ...more].join(" · "));
    }
    setText(model, store.link === "connected" ? (state?.model ?? "") : LINKS[store.link]);
    link.dataset.link = store.link;
    link.title = `Model ${state?.model ?? ""} · ${LINKS[store.link]}`;
  }
  return { element, update };
}
