// The keyboard: one table, read by the handler and by the help.

import type { Commands } from "./commands";

export interface Binding {
  /** `event.key`, lower case for letters; `Shift+` in front where it matters. */
  keys: string[];
  shown: string;
  does: string;
  run(commands: Commands, key: string): void;
  /** Runs when the key is let go. */
  end?(commands: Commands): void;
  /** A held key repeats it. */
  repeats?: boolean;
}

/** By what they are for, as the help shows them. */
export const GROUPS: readonly [name: string, bindings: readonly Binding[]][] = [
  [
    "Play and go",
    [
      {
        keys: [" "],
        shown: "Space",
        does: "Play or pause; hold and drag to move the picture",
        run: () => {},
      },
      { keys: ["ArrowLeft"], shown: "←", does: "One frame back", run: (c) => c.step(-1), repeats: true },
      { keys: ["ArrowRight"], shown: "→", does: "One frame on", run: (c) => c.step(1), repeats: true },
      {
        keys: ["Shift+ArrowLeft"],
        shown: "⇧ ←",
        does: "Ten frames back",
        run: (c) => c.step(-10),
        repeats: true,
      },
      {
        keys: ["Shift+ArrowRight"],
        shown: "⇧ →",
        does: "Ten frames on",
        run: (c) => c.step(10),
        repeats: true,
      },
      { keys: ["Home"], shown: "Home", does: "First frame", run: (c) => c.first() },
      { keys: ["End"], shown: "End", does: "Last frame", run: (c) => c.last() },
      { keys: [","], shown: ",", does: "Play slower", run: (c) => c.play(-1) },
      { keys: ["."], shown: ".", does: "Play faster", run: (c) => c.play(1) },
      {
        keys: ["Shift+l"],
        shown: "⇧ L",
        does: "Play again and again, within the range",
        run: (c) => c.loop(),
      },
    ],
  ],
  [
    "Track and learn",
    [
      { keys: ["i"], shown: "I", does: "Let tracking begin here", run: (c) => c.markRange("first") },
      { keys: ["o"], shown: "O", does: "Let tracking end here", run: (c) => c.markRange("last") },
      {
        keys: ["Shift+i", "Shift+o"],
        shown: "⇧ I",
        does: "Track the whole video again",
        run: (c) => c.clearRange(),
      },
      { keys: ["n"], shown: "N", does: "Next doubtful frame", run: (c) => c.nextDoubtful() },
      { keys: ["t"], shown: "T", does: "Track forward", run: (c) => c.track(false) },
      { keys: ["Shift+t"], shown: "⇧ T", does: "Track backward", run: (c) => c.track(true) },
      {
        keys: ["Enter"],
        shown: "⏎",
        does: "Learn this correction and track on; close a polygon",
        run: (c) => c.enter(),
      },
      { keys: ["w"], shown: "W", does: "Wrong here: ask for a proposal", run: (c) => c.flag() },
      { keys: ["a"], shown: "A", does: "Accept the proposal", run: (c) => c.accept() },
      { keys: ["r"], shown: "R", does: "Reject the proposal", run: (c) => c.reject() },
      {
        keys: ["c"],
        shown: "C",
        does: "Hold to see the mask without the proposal",
        run: (c) => c.holdBase(true),
        end: (c) => c.holdBase(false),
      },
    ],
  ],
  [
    "Draw",
    [
      { keys: ["p"], shown: "P", does: "Point: click", run: (c) => c.chooseTool("point") },
      { keys: ["x"], shown: "X", does: "Box: drag around the object", run: (c) => c.chooseTool("box") },
      { keys: ["b"], shown: "B", does: "Brush: paint on the mask", run: (c) => c.chooseTool("brush") },
      { keys: ["e"], shown: "E", does: "Eraser", run: (c) => c.chooseTool("eraser") },
      { keys: ["l"], shown: "L", does: "Lasso, or corners of a polygon", run: (c) => c.chooseTool("lasso") },
      { keys: ["["], shown: "[", does: "Smaller brush", run: (c) => c.sizeBrush(1 / 1.25), repeats: true },
      { keys: ["]"], shown: "]", does: "Larger brush", run: (c) => c.sizeBrush(1.25), repeats: true },
    ],
  ],
  [
    "Steps and objects",
    [
      { keys: ["z", "Mod+z"], shown: "Z", does: "Undo", run: (c) => c.undo() },
      { keys: ["Shift+z", "Mod+Shift+z", "Mod+y"], shown: "⇧ Z", does: "Redo", run: (c) => c.redo() },
      { keys: ["Shift+n"], shown: "⇧ N", does: "Add an object", run: (c) => c.addObject() },
      { keys: ["h"], shown: "H", does: "Hide or show the object", run: (c) => c.toggle("hidden") },
      { keys: ["k"], shown: "K", does: "Lock or unlock the object", run: (c) => c.toggle("locked") },
      { keys: ["F2"], shown: "F2", does: "Rename or recolour the object", run: (c) => c.editActive() },
      {
        keys: ["Shift+Delete", "Shift+Backspace"],
        shown: "⇧ Del",
        does: "Delete the object; Z brings it back",
        run: (c) => c.deleteActive(),
      },
      {
        keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"],
        shown: "1–9",
        does: "Choose a candidate of a proposal, else an object",
        run: (c, key) => c.chooseNumber(Number(key)),
      },
    ],
  ],
  [
    "Look",
    [
      { keys: ["0"], shown: "0", does: "Show the whole frame", run: (c) => c.wholeFrame() },
      { keys: ["f"], shown: "F", does: "Fill the window", run: (c) => c.toggleFull() },
      { keys: ["?", "Shift+?"], shown: "?", does: "This help", run: (c) => c.toggleHelp() },
      { keys: ["Escape"], shown: "Esc", does: "Stop drawing or the job, else leave", run: (c) => c.escape() },
    ],
  ],
];

export const BINDINGS: readonly Binding[] = GROUPS.flatMap(([, bindings]) => bindings);

export const MOUSE: readonly [shown: string, does: string][] = [
  ["Click", "This belongs to the object"],
  ["Alt+click", "This does not; right click says the same"],
  ["Rest", "Shows what a click would give, as a dotted outline"],
  ["Wheel", "Zoom"],
  ["Middle drag", "Move the picture"],
  ["Double click", "Show the whole frame"],
  ["Two fingers", "Zoom and move the picture"],
  ["Long tap", "This does not belong to the object"],
];

/** The name of a key press in the table, or nothing where the browser or the notebook should have it. */
export function keyName(event: KeyboardEvent): string | null {
  if (event.altKey || event.isComposing) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const mod = event.ctrlKey || event.metaKey ? "Mod+" : "";
  return `${mod}${event.shiftKey ? "Shift+" : ""}${key}`;
}

const isButton = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest("button") !== null;

/** Where letters are written and mean nothing else. */
const isText = (target: EventTarget | null): boolean => target instanceof HTMLInputElement;

export interface Keyboard {
  /** The space bar is down: a drag moves the picture. */
  readonly spaceHeld: boolean;
  /** The held space bar served a drag, so letting it go must not start playback. */
  spaceUsed(): void;
  stop(): void;
}

/** Listen on the widget's root; what it handles never reaches the notebook. */
export function listenToKeys(root: HTMLElement, commands: Commands): Keyboard {
  const table = new Map(BINDINGS.flatMap((binding) => binding.keys.map((key) => [key, binding] as const)));
  let spaceHeld = false;
  let spaceUsed = false;

  function down(event: KeyboardEvent): void {
    if (isText(event.target)) {
      event.stopPropagation();
      return;
    }
    const key = keyName(event);
    const binding = key === null ? undefined : table.get(key);
    if (!binding || key === null) return;
    event.stopPropagation();
    // A focused button takes these two itself.
    if (isButton(event.target) && (key === " " || key === "Enter")) return;
    event.preventDefault();
    if (event.repeat && !binding.repeats) return;
    if (key === " ") {
      spaceHeld = true;
      spaceUsed = false;
    }
    binding.run(commands, key);
  }

  function up(event: KeyboardEvent): void {
    if (isText(event.target)) return;
    const key = event.key.toLowerCase();
    table.get(key)?.end?.(commands);
    if (key === " " && spaceHeld) {
      spaceHeld = false;
      event.preventDefault();
      if (!spaceUsed) commands.togglePlay();
    }
    if (table.has(key)) event.stopPropagation();
  }

  function blur(event: FocusEvent): void {
    if (event.relatedTarget instanceof Node && root.contains(event.relatedTarget)) return;
    spaceHeld = false;
    commands.holdBase(false);
  }

  root.addEventListener("keydown", down);
  root.addEventListener("keyup", up);
  root.addEventListener("focusout", blur);
  root.addEventListener("focusin", commands.comeBack);
  return {
    get spaceHeld() {
      return spaceHeld;
    },
    spaceUsed() {
      spaceUsed = true;
    },
    stop() {
      root.removeEventListener("keydown", down);
      root.removeEventListener("keyup", up);
      root.removeEventListener("focusout", blur);
      root.removeEventListener("focusin", commands.comeBack);
    },
  };
}
