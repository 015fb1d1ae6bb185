// What a tool is: it turns presses and drags on the picture into commands.

import type { IconName } from "../dom";
import type { Point } from "../geometry";

export type ToolName = "point" | "box" | "brush" | "eraser" | "lasso";

export interface Press {
  /** In video pixels. */
  at: Point;
  event: PointerEvent;
  /** The picture is enlarged, so a double click would mean "show the whole frame". */
  zoomed: boolean;
}

export interface Tool {
  readonly name: ToolName;
  readonly text: string;
  readonly icon: IconName;
  readonly key: string;
  readonly label: string;
  press(press: Press): void;
  /** The pointer moves with the button down. */
  drag?(at: Point): void;
  lift?(): void;
  /** Enter: what is drawn is complete; says whether there was anything. */
  finish?(): boolean;
  /** Forget what is under way. */
  stop(): void;
}

export const isNegative = (event: Pick<PointerEvent, "altKey" | "shiftKey" | "button">): boolean =>
  event.altKey || event.shiftKey || event.button === 2;
