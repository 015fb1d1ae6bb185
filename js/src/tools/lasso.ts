// The lasso: drag around an area, or click its corners one by one; Alt takes the area away.

import type { Commands } from "../commands";
import type { Point } from "../geometry";
import type { Store } from "../store";
import { isNegative, type Tool } from "./tool";

const CLOSE_PX = 8;

export function lassoTool(store: Store, commands: Commands): Tool {
  let start: { at: Point; screen: Point } | null = null;
  let dragged = false;

  function finish(): boolean {
    if (!store.drawing) return false;
    start = null;
    void commands.drawn();
    return true;
  }

  function corners(clicked: boolean): void {
    if (store.drawing) store.set({ drawing: { ...store.drawing, corners: clicked } });
  }

  return {
    name: "lasso",
    icon: "lasso",
    text: "Lasso",
    key: "L",
    label: "Lasso: drag around an area or click its corners, then \u23ce; Alt takes it away",

    press({ at, event }): void {
      dragged = false;
      const screen = { x: event.clientX, y: event.clientY };
      if (store.drawing && start) {
        const home = Math.hypot(screen.x - start.screen.x, screen.y - start.screen.y) < CLOSE_PX;
        if (home && store.drawing.points.length > 2) finish();
        else commands.drawTo(at);
        return;
      }
      commands.draw(isNegative(event) ? "cut" : "lasso", at);
      if (store.drawing) start = { at, screen };
    },
    drag(at): void {
      dragged = true;
      commands.drawTo(at);
      corners(false);
    },
    lift(): void {
      // A drag is a whole lasso; single clicks are corners, and more of them may come.
      if (dragged && (store.drawing?.points.length ?? 0) > 3) finish();
      else corners(true);
    },
    finish,
    stop(): void {
      start = null;
      if (store.drawing) store.set({ drawing: null });
    },
  };
}
