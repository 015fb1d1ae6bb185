// The top row: tools, what is open, which model, help.

import type { Commands } from "./commands";
import { button, h, setText } from "./dom";
import { isPaint } from "./paint";
import type { Store } from "./store";
import type { Tool } from "./tools/tool";

const LINKS = {
  connecting: "connecting to the kernel",
  connected: "connected",
  disconnected: "not connected",
} as const;

export function makeToolbar(store: Store, commands: Commands, tools: Tool[]) {
  const toolButtons = tools.map((tool) => {
    const element = button({
      icon: tool.icon,
      text: tool.text,
      label: tool.label,
      class: "lit-tool",
      run: () => commands.chooseTool(tool.name),
    });
    element.title = `${tool.label} (${tool.key})`;
    return element;
  });
  const size = h("span", { class: "lit-number lit-dim" });
  const smaller = button({
    text: "−",
    label: "Smaller brush",
    class: "lit-small",
    run: () => commands.sizeBrush(0.8),
  });
  smaller.title = "Smaller brush ([)";
  const larger = button({
    text: "+",
    label: "Larger brush",
    class: "lit-small",
    run: () => commands.sizeBrush(1.25),
  });
  larger.title = "Larger brush (])";
  const brush = h(
    "div",
    { class: "lit-group lit-brush", role: "group", "aria-label": "Brush size" },
    smaller,
    size,
    larger,
  );
  const undo = button({ icon: "undo", label: "Undo", key: "Z", run: commands.undo });
  const redo = button({ icon: "redo", label: "Redo", key: "⇧Z", run: commands.redo });
  const whole = button({ icon: "whole", label: "Show the whole frame", key: "0", run: commands.wholeFrame });
  const full = button({ icon: "full", label: "Fill the window", key: "F", run: commands.toggleFull });
  const help = button({ text: "?", label: "Help: keys and mouse", run: commands.toggleHelp });
  help.title = "Help (?)";
  const title = h("span", { class: "lit-title" });
  const position = h("span", { class: "lit-position" });
  const pixels = h("span", { class: "lit-position lit-size" });
  const dot = h("span", { class: "lit-dot", "aria-hidden": "true" });
  const model = h("span", { class: "lit-model" });
  const link = h("span", { class: "lit-link" }, dot, model);

  const element = h(
    "div",
    { class: "lit-toolbar", role: "toolbar", "aria-label": "Tools" },
    h("div", { class: "lit-group" }, ...toolButtons),
    h("div", { class: "lit-group" }, undo, redo, whole),
    brush,
    h("div", { class: "lit-about" }, title, position, pixels),
    link,
    full,
    help,
  );

  function update(): void {
    const { state } = store;
    undo.disabled = !store.canUndo;
    toolButtons.forEach((element, i) => {
      element.setAttribute("aria-pressed", String(tools[i]?.name === store.tool));
    });
    brush.hidden = !isPaint(store.tool);
    setText(size, `${2 * store.brush} px`);
    redo.disabled = !state?.can_redo;
    full.setAttribute("aria-pressed", String(store.full));
    help.setAttribute("aria-expanded", String(store.help));
    setText(title, state?.video.name ?? "");
    setText(position, state ? `frame ${store.frame}/${store.nFrames - 1}` : "");
    setText(pixels, state ? `· ${state.video.width}×${state.video.height}` : "");
    setText(model, store.link === "connected" ? (state?.model ?? "") : LINKS[store.link]);
    link.dataset.link = store.link;
    link.title = `Model ${state?.model ?? ""} · ${LINKS[store.link]}`;
  }

  return { element, update };
}
