// The box tool: a drag from corner to corner around the object.

import type { Commands } from "../commands";
import type { Store } from "../store";
import type { Tool } from "./tool";

export function boxTool(store: Store, commands: Commands): Tool {
  return {
    name: "box",
    icon: "box",
    text: "Box",
    key: "X",
    label: "Box: drag around the object; it replaces the clicks on the frame",
    press({ at }): void {
      commands.draw("box", at);
    },
    drag(at): void {
      commands.drawTo(at, 1);
    },
    lift(): void {
      commands.boxed();
    },
    stop(): void {
      if (store.drawing) store.set({ drawing: null });
    },
  };
}
