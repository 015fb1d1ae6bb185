// The help: every key, and the images that cannot be read.

import { button, h, memo } from "../dom";
import type { Commands } from "./commands";
import { BINDINGS } from "./keys";
import type { GalleryStore } from "./store";
import { makeMarks } from "./strip";

export function makeHelp(store: GalleryStore, commands: Commands) {
  const rows = BINDINGS.flatMap(({ shown, does }) => [h("dt", {}, h("kbd", {}, shown)), h("dd", {}, does)]);
  const close = button({ icon: "cross", label: "Close the help", key: "Esc", run: commands.toggleHelp });
  const problems = h("div", {});
  const element = h(
    "div",
    { class: "lit-help lit-scroll", role: "region", "aria-label": "Help", tabindex: 0 },
    close,
    problems,
    h("div", {}, h("h3", { class: "lit-heading" }, "Marks"), makeMarks()),
    h("div", {}, h("h3", { class: "lit-heading" }, "Keys"), h("dl", { class: "lit-keys" }, ...rows)),
  );
  const show = memo(() => {
    element.hidden = !store.help;
  });
  const list = memo(() => {
    const { look } = store;
    const count = look?.n_unreadable ?? 0;
    const rest = count - (look?.problems.length ?? 0);
    problems.hidden = count === 0;
    problems.replaceChildren(
      h("h3", { class: "lit-heading" }, `Left out: ${count}`),
      ...(look?.problems ?? []).map((text) => h("p", {}, text)),
      ...(rest > 0 ? [h("p", { class: "lit-dim" }, `and ${rest} more, see w.problems`)] : []),
    );
  });
  return {
    element,
    update(): void {
      show(store.help);
      list(store.look?.n_unreadable, store.look?.problems);
    },
  };
}
