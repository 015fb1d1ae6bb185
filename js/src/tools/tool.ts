// What a tool is: it turns presses on the picture into commands.

import type { IconName } from "../dom";
import type { Point } from "../geometry";

export interface Press {
  /** In video pixels. */
  at: Point;
  event: PointerEvent;
  /** The picture is enlarged, so a double click would mean "show the whole frame". */
  zoomed: boolean;
}

export interface Tool {
  readonly name: string;
  readonly icon: IconName;
  readonly label: string;
  press(press: Press): void;
  /** Forget what is under way. */
  stop(): void;
}
