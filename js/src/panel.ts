// The side panel: the objects and what the active object's adapter has learned, or the candidates of a proposal.

import { makeCandidates } from "./candidates";
import type { FrameCanvas } from "./canvas";
import type { Commands } from "./commands";
import { h } from "./dom";
import { makeLearning } from "./learning";
import { makeObjects } from "./objects";
import { makePrompts } from "./prompts";
import type { Store } from "./store";

export function makePanel(store: Store, commands: Commands, canvas: FrameCanvas) {
  const learning = makeLearning(store, commands);
  const prompts = makePrompts(store, commands);
  learning.element.append(prompts.element);
  const parts = [makeObjects(store, commands), learning];
  const candidates = makeCandidates(store, commands, canvas);
  const element = h(
    "div",
    { class: "lit-panel lit-scroll", role: "group", "aria-label": "Objects and learning", tabindex: 0 },
    ...parts.map((part) => part.element),
    candidates.element,
  );
  return {
    element,
    update(): void {
      element.inert = !store.online;
      for (const part of [...parts, prompts, candidates]) part.update();
    },
  };
}
