// Brush and eraser: paint on the mask that is there.

import type { Commands } from "../commands";
import type { Point } from "../geometry";
import type { Store } from "../store";
import { isNegative, type Press, type Tool } from "./tool";

export function paintTool(store: Store, commands: Commands, name: "brush" | "eraser"): Tool {
  return {
    name,
    icon: name,
    text: name === "brush" ? "Brush" : "Eraser",
    key: name === "brush" ? "B" : "E",
    label:
      name === "brush"
        ? "Brush: paint on the mask; Alt erases, [ and ] change the size"
        : "Eraser: take away from the mask; [ and ] change the size",

    press({ at, event }: Press): void {
      const erase = name === "eraser" || isNegative(event);
      commands.draw(erase ? "eraser" : "brush", at);
    },
    drag(at: Point): void {
      commands.drawTo(at);
    },
    lift(): void {
      void commands.drawn();
    },
    stop(): void {
      if (store.drawing) store.set({ drawing: null });
    },
  };
}
