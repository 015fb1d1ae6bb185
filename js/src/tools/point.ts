// The point tool: a click says "this is the object", with Alt, Shift or the right button "this is not".

import type { Commands } from "../commands";
import { tenth } from "../geometry";
import { isNegative, type Press, type Tool } from "./tool";

const DOUBLE_MS = 260;
const DOUBLE_PX = 6;

export function pointTool(commands: Commands): Tool {
  let held: { press: Press; click: ReturnType<Commands["markClick"]>; timer: number } | null = null;

  function release(): void {
    if (!held) return;
    clearTimeout(held.timer);
    const { click } = held;
    held = null;
    commands.sendClick(click);
  }

  function isSecond(press: Press): boolean {
    if (!held) return false;
    const { clientX, clientY } = held.press.event;
    return Math.hypot(press.event.clientX - clientX, press.event.clientY - clientY) < DOUBLE_PX;
  }

  return {
    name: "point",
    icon: "point",
    text: "Point",
    key: "P",
    label: "Point: click what belongs to the object, Alt, Shift or right click what does not",

    press(press): void {
      if (held && isSecond(press)) {
        clearTimeout(held.timer);
        commands.dropClick(held.click.frame, held.click.object);
        held = null;
        commands.wholeFrame();
        return;
      }
      release();
      if (!commands.free()) return;
      const at = { x: tenth(press.at.x), y: tenth(press.at.y) };
      const click = commands.markClick(at, !isNegative(press.event));
      // Enlarged, the click may be the first half of a double click: the marker shows, the message waits.
      if (press.zoomed) held = { press, click, timer: window.setTimeout(release, DOUBLE_MS) };
      else commands.sendClick(click);
    },

    stop(): void {
      if (held) clearTimeout(held.timer);
      held = null;
    },
  };
}
