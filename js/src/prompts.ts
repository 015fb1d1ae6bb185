// What stands on the active object's frames and has not been learned: each click can be taken back alone.

import type { Commands } from "./commands";
import { button, h, memo } from "./dom";
import type { Prompt, Standing } from "./messages";
import { promptsOn } from "./rules";
import type { Store } from "./store";

const at = ({ x, y }: Prompt): string => `${Math.round(x)}, ${Math.round(y)}`;

/** One prompt; a press takes it back. */
function chip(text: string, label: string, run: () => void): HTMLElement {
  const element = button({ icon: "cross", text, label, class: "lit-small lit-chip", run });
  element.title = label;
  return h("li", {}, element);
}

function line(each: Standing, prompts: Prompt[], commands: Commands): HTMLElement[] {
  const { frame } = each;
  const jump = button({
    text: String(frame),
    label: `Frame ${frame}: go to it`,
    class: "lit-small",
    run: () => commands.seek(frame),
  });
  const all = () => commands.clearPrompts(frame);
  const whole = each.painted ? "painted mask" : each.box.length > 0 ? "box" : "";
  const chips = [
    ...(whole ? [chip(whole, `Take back the ${whole} on frame ${frame}`, all)] : []),
    ...prompts.map((prompt, i) =>
      chip(prompt.positive ? "+" : "−", `Take back the click at ${at(prompt)} on frame ${frame}`, () =>
        commands.removePrompt(frame, i),
      ),
    ),
  ];
  return [h("dt", {}, jump), h("dd", {}, h("ul", { class: "lit-sources" }, ...chips))];
}

export function makePrompts(store: Store, commands: Commands) {
  const rows = h("dl", { class: "lit-facts lit-standing" });
  const element = h(
    "div",
    { class: "lit-prompts", role: "group", "aria-label": "Prompts not learned yet", tabindex: -1 },
    h("h3", { class: "lit-heading" }, "Not learned yet"),
    rows,
  );
  const mine = () => store.state?.standing.filter(({ object }) => object === store.active) ?? [];
  const draw = memo(() => {
    const focused = element.contains(document.activeElement);
    rows.replaceChildren(
      ...mine().flatMap((each) =>
        line(each, promptsOn(store.state?.prompts ?? [], each.frame, store.active), commands),
      ),
    );
    if (focused) element.focus({ preventScroll: true });
  });
  return {
    element,
    update(): void {
      element.hidden = mine().length === 0;
      draw(store.active, mine(), store.state?.prompts);
    },
  };
}
