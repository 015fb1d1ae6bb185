// The top row: tools, what is open, which model, help.

import type { Commands } from "./commands";
import { button, h, setText } from "./dom";
import { promptsOn } from "./rules";
import type { Store } from "./store";
import type { Tool } from "./tools/tool";

const LINKS = {
  connecting: "connecting to the kernel",
  connected: "connected",
  disconnected: "not connected",
} as const;

export function makeToolbar(store: Store, commands: Commands, tools: Tool[]) {
  const toolButtons = tools.map((tool) =>
    button({ icon: tool.icon, text: tool.name, label: tool.label, class: "lit-tool", run: () => {} }),
  );
  for (const element of toolButtons) element.setAttribute("aria-pressed", "true");
  const undo = button({ icon: "undo", label: "Undo", key: "Z", run: commands.undo });
  const redo = button({ icon: "redo", label: "Redo", key: "⇧Z", run: commands.redo });
  const whole = button({ icon: "whole", label: "Show the whole frame", key: "0", run: commands.wholeFrame });
  const help = button({ text: "?", label: "Help: keys and mouse", run: commands.toggleHelp });
  help.title = "Help (?)";
  const title = h("span", { class: "lit-title" });
  const position = h("span", { class: "lit-position" });
  const dot = h("span", { class: "lit-dot", "aria-hidden": "true" });
  const model = h("span", { class: "lit-model" });
  const link = h("span", { class: "lit-link" }, dot, model);

  const element = h(
    "div",
    { class: "lit-toolbar", role: "toolbar", "aria-label": "Tools" },
    h("div", { class: "lit-group" }, ...toolButtons),
    h("div", { class: "lit-group" }, undo, redo, whole),
    h("div", { class: "lit-about" }, title, position),
    link,
    help,
  );

  function update(): void {
    const { state } = store;
    const standing = promptsOn(store.markers(store.frame), store.frame, store.active).length > 0;
    undo.disabled = !standing && !state?.can_undo;
    redo.disabled = !state?.can_redo;
    help.setAttribute("aria-expanded", String(store.help));
    setText(title, state?.video.name ?? "");
    const size = state ? ` · ${state.video.width}×${state.video.height}` : "";
    setText(position, state ? `frame ${store.frame}/${store.nFrames - 1}${size}` : "");
    setText(model, store.link === "connected" ? (state?.model ?? "") : LINKS[store.link]);
    link.dataset.link = store.link;
    link.title = `Model ${state?.model ?? ""} · ${LINKS[store.link]}`;
  }

  return { element, update };
}
