// The gallery's keyboard: one table, read by the handler and by the help. Letters belong to the search.

import { keyName } from "../keys";
import type { Commands } from "./commands";

export interface Binding {
  keys: string[];
  shown: string;
  does: string;
  run(commands: Commands, key: string): void;
  repeats?: boolean;
  /** Also while the help covers the image. */
  inHelp?: boolean;
}

const digits = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

export const BINDINGS: readonly Binding[] = [
  { keys: ["Enter"], shown: "⏎", does: "Take the first guess", run: (c) => c.first() },
  {
    // Some keyboards have them with Shift.
    keys: [...digits, ...digits.map((digit) => `Shift+${digit}`)],
    shown: "1–9",
    does: "Take this guess",
    run: (c, key) => c.row(Number(key.at(-1)) - 1),
  },
  {
    // Letters begin to search by themselves; a name may begin with a digit.
    keys: ["/", "Shift+/"],
    shown: "A–Z, /",
    does: "Search all classes: type, ⏎ takes the first",
    run: (c) => c.type(""),
  },
  { keys: [" "], shown: "Space", does: "Skip: leave it without a label", run: (c) => c.skip() },
  { keys: ["!", "Shift+!"], shown: "!", does: "Flag it, to be looked at again", run: (c) => c.flag() },
  {
    keys: ["Backspace", "Mod+z"],
    shown: "⌫",
    does: "Undo, also what was learned",
    run: (c) => c.undo(),
  },
  {
    keys: ["Shift+Backspace", "Mod+Shift+z", "Mod+y"],
    shown: "⇧ ⌫",
    does: "Redo",
    run: (c) => c.redo(),
  },
  { keys: ["ArrowLeft"], shown: "←", does: "Back in the group", run: (c) => c.step(-1), repeats: true },
  { keys: ["ArrowRight"], shown: "→", does: "On in the group", run: (c) => c.step(1), repeats: true },
  {
    keys: ["ArrowUp", "PageUp"],
    shown: "↑",
    does: "Group before this one",
    run: (c) => c.group(-1),
  },
  { keys: ["ArrowDown", "PageDown"], shown: "↓", does: "Next group", run: (c) => c.group(1) },
  { keys: ["F2"], shown: "F2", does: "Fill the window", run: (c) => c.toggleFull(), inHelp: true },
  { keys: ["?", "Shift+?"], shown: "?", does: "This help", run: (c) => c.toggleHelp(), inHelp: true },
  {
    keys: ["Escape"],
    shown: "Esc",
    does: "Close search or help, else leave",
    run: (c) => c.escape(),
    inHelp: true,
  },
];

/** All that a name may hold. */
const TYPED = /^[\p{L}\p{N}\p{P}\p{S}]$/u;

/** Listen on the widget's root; what it handles never reaches the notebook. */
export function listenToKeys(root: HTMLElement, search: HTMLElement, commands: Commands): () => void {
  const table = new Map(BINDINGS.flatMap((binding) => binding.keys.map((key) => [key, binding] as const)));
  const inSearch: { [key: string]: () => void } = {
    Enter: () => commands.take(),
    Escape: () => commands.escape(),
    ArrowDown: () => commands.pick(1),
    ArrowUp: () => commands.pick(-1),
  };

  function down(event: KeyboardEvent): void {
    if (event.target === search) {
      event.stopPropagation();
      const act = event.isComposing ? undefined : inSearch[event.key];
      if (!act) return;
      event.preventDefault();
      act();
      return;
    }
    const key = keyName(event);
    if (key === null) return;
    const binding = table.get(key);
    const typed = !event.ctrlKey && !event.metaKey && TYPED.test(event.key);
    if (!binding && !typed) return;
    event.stopPropagation();
    if (commands.helpIsOpen() && !binding?.inHelp) return;
    const onButton = event.target instanceof Element && event.target.closest("button") !== null;
    // A focused button takes these two itself.
    if (onButton && (key === " " || key === "Enter")) return;
    event.preventDefault();
    if (event.repeat && !binding?.repeats) return;
    if (binding) binding.run(commands, key);
    else commands.type(event.key);
  }

  function up(event: KeyboardEvent): void {
    if (event.target === search || table.has(keyName(event) ?? "") || TYPED.test(event.key)) {
      event.stopPropagation();
    }
  }

  root.addEventListener("keydown", down);
  root.addEventListener("keyup", up);
  root.addEventListener("focusin", commands.comeBack);
  return () => {
    root.removeEventListener("keydown", down);
    root.removeEventListener("keyup", up);
    root.removeEventListener("focusin", commands.comeBack);
  };
}
