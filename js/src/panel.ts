// The side panel: the objects, and what the active object's adapter has learned.

import type { Commands } from "./commands";
import { h } from "./dom";
import { makeLearning } from "./learning";
import { makeObjects } from "./objects";
import type { Store } from "./store";
import { makeLegend } from "./timeline";

export function makePanel(store: Store, commands: Commands) {
  const parts = [makeObjects(store, commands), makeLearning(store, commands)];
  const element = h(
    "div",
    { class: "lit-panel", role: "group", "aria-label": "Objects and learning", tabindex: 0 },
    ...parts.map((part) => part.element),
    makeLegend(),
  );
  return {
    element,
    update(): void {
      for (const part of parts) part.update();
    },
  };
}
