// The top row: tools, what is open, which model, help.

import type { Commands } from "./commands";
import { button, h, setText } from "./dom";
import type { MemoryInfo, State } from "./messages";
import { isPaint } from "./paint";
import type { Store } from "./store";
import type { Tool } from "./tools/tool";

const LINKS = {
  connecting: "connecting to the kernel",
  connected: "connected",
  disconnected: "not connected",
} as const;

/** What a video given as an array is called; its size and length stand beside it. */
const titleOf = ({ video }: State): string => (video.name === "array" ? "video" : video.name);

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
  const px = h("span", { class: "lit-dim lit-unit" }, "px");
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
    h("span", { class: "lit-across" }, size, px),
    larger,
  );
  const undo = button({ icon: "undo", label: "Undo", key: "Z", run: commands.undo });
  const redo = button({ icon: "redo", label: "Redo", key: "⇧Z", run: commands.redo });
  const whole = button({ icon: "whole", label: "Show the whole frame", key: "0", run: commands.wholeFrame });
  const full = button({ icon: "full", label: "Fill the window", key: "F", run: commands.toggleFull });
  const help = button({ text: "?", label: "Help: keys and mouse", run: commands.toggleHelp });
  help.title = "Help (?)";
  const title = h("span", { class: "lit-title" });
  const position = h("span", { class: "lit-at" });
  const where = h("span", { class: "lit-position" }, h("span", { class: "lit-unit" }, "frame "), position);
  const pixels = h("span", { class: "lit-position lit-size" });
  const dot = h("span", { class: "lit-dot", "aria-hidden": "true" });
  const model = h("span", { class: "lit-model" });
  const link = h("span", { class: "lit-link" }, dot, model);
  const memory = makeGauge();

  const element = h(
    "div",
    { class: "lit-toolbar", role: "toolbar", "aria-label": "Tools" },
    h("div", { class: "lit-group" }, ...toolButtons),
    h("div", { class: "lit-group" }, undo, redo, whole),
    h("div", { class: "lit-about" }, title, where, pixels),
    // Behind the words, which stay where they are when it comes.
    brush,
    link,
    memory.element,
    full,
    help,
  );

  function update(): void {
    const { state } = store;
    undo.disabled = !store.canUndo;
    toolButtons.forEach((element, i) => {
      element.setAttribute("aria-pressed", String(tools[i]?.name === store.tool));
      element.disabled = !store.online;
    });
    brush.hidden = !isPaint(store.tool);
    setText(size, String(2 * store.brush));
    redo.disabled = !store.online || !state?.can_redo;
    full.setAttribute("aria-pressed", String(store.full));
    help.setAttribute("aria-expanded", String(store.help));
    setText(title, state ? titleOf(state) : "");
    title.title = state?.video.name ?? "";
    setText(position, state ? `${store.frame} of 0–${store.nFrames - 1}` : "");
    position.title = `Frame ${store.frame}; the ${store.nFrames} frames are numbered from 0`;
    setText(pixels, state ? `· ${state.video.width}×${state.video.height}` : "");
    setText(model, store.link === "connected" ? (state?.model ?? "") : LINKS[store.link]);
    link.dataset.link = store.link;
    memory.element.hidden = store.link !== "connected" || !state;
    if (state) memory.show(state.memory);
    link.title = `Model ${state?.model ?? ""} · ${LINKS[store.link]}`;
  }

  return { element, update };
}

/** How much of the memory for encoded frames and masks is taken. */
function makeGauge() {
  const fill = h("span", {});
  const amount = h("span", { class: "lit-unit" });
  const bar = h("span", { class: "lit-level" }, fill);
  const element = h("span", { class: "lit-gauge", role: "meter", "aria-label": "Memory" }, amount, bar);

  function show({ used, most, file }: MemoryInfo): void {
    const [taken, bound, filed] = [used, most, file].map(
      (megabytes) => `${megabytes.toLocaleString("en")} MB`,
    );
    const beyond = file > 0 ? `, and ${filed} in a temporary file` : "";
    fill.style.width = `${Math.min(100, (100 * used) / Math.max(1, most))}%`;
    setText(amount, taken ?? "");
    element.title = `Memory for frames and masks: ${taken} of ${bound}${beyond}`;
    element.setAttribute("aria-valuemax", String(most));
    element.setAttribute("aria-valuenow", String(used));
    element.setAttribute("aria-valuetext", element.title);
  }

  return { element, show };
}
