// What lies over the rest without moving it: the hint and errors on the picture, the verdict on the bottom row
// (the picture must stay in sight while it is judged), and the help.

import { nextOf } from "./actions";
import type { Commands } from "./commands";
import { button, h, memo, setText } from "./dom";
import { GROUPS, MOUSE } from "./keys";
import { objectOf, sourceOf } from "./rules";
import type { Store } from "./store";
import { makeLegend } from "./timeline";

const MOST_SOURCES = 6;

const OFFLINE =
  "Not connected: nothing can be changed. Without session= the work is lost with the kernel unless it was exported";
const OFFLINE_SAVED =
  "Not connected: nothing can be changed. The work is in the session file, which can be opened again";
const CORNERS = "Click the next corner; \u23ce or the first corner closes it, Esc drops it";

/** There is nothing yet: the picture calls for the first click. */
const calls = (store: Store): boolean =>
  nextOf(store) === "click" && !store.drawing && store.markers(store.frame).length === 0;

function makeHint(store: Store) {
  const text = h("span", {});
  const element = h("div", { class: "lit-hint", "aria-hidden": "true" }, text);

  const refuse = memo(() => element.animate?.([{ opacity: 0.2 }, { opacity: 1 }], 400));

  function hintOf(): string {
    if (!store.online) return store.state?.saved ? OFFLINE_SAVED : OFFLINE;
    if (store.drawing) return store.drawing.corners ? CORNERS : "";
    if (calls(store)) return "Click the object to follow";
    return store.state && !store.frames.has(store.frame) ? `Loading frame ${store.frame}` : "";
  }

  function update(): void {
    const hint = hintOf();
    setText(text, hint);
    element.hidden = hint === "";
    element.classList.toggle("lit-call", store.online && calls(store));
    refuse(store.refused);
  }
  return { element, update };
}

/** What is proposed, for whom and by whom. */
export function proposalTitle(store: Store): string {
  const { open, proposed, state } = store;
  if (!open || !proposed || !state) return "";
  const where = open.frame === store.frame ? "" : ` at frame ${open.frame}`;
  const parts = [`Proposal${where} for ${objectOf(state, open.object)?.name ?? open.object}`];
  if (open.candidates.length > 1) parts.push(`candidate ${open.picked + 1} of ${open.candidates.length}`);
  parts.push(sourceOf(proposed));
  if (proposed.learned_from.length > 0) {
    parts.push(`learned from ${proposed.learned_from.slice(-MOST_SOURCES).join(", ")}`);
  }
  return parts.join(" · ");
}

function makeProposalBar(store: Store, commands: Commands) {
  const title = h("div", { class: "lit-proposal-title", role: "status" });
  const accept = button({
    icon: "check",
    text: "Accept",
    label: "Accept the proposal",
    key: "A",
    class: "lit-next",
    run: commands.accept,
  });
  const reject = button({
    icon: "cross",
    text: "Reject",
    label: "Reject the proposal",
    key: "R",
    run: commands.reject,
  });
  const base = button({
    text: "Hold to compare",
    label: "Hold to compare with the mask before",
    key: "C",
    run: () => {},
  });
  const hold = (on: boolean) => () => commands.holdBase(on);
  base.addEventListener("pointerdown", hold(true));
  for (const end of ["pointerup", "pointerleave", "pointercancel"]) base.addEventListener(end, hold(false));
  const key = (name: string, text: string) =>
    h(
      "span",
      { class: "lit-key" },
      h("span", { class: `lit-patch lit-${name}`, "aria-hidden": "true" }),
      text,
    );
  const legend = h("div", { class: "lit-patches" }, key("added", "added"), key("removed", "removed"));
  const element = h(
    "div",
    { class: "lit-proposal", role: "group", "aria-label": "Proposal" },
    title,
    h("div", { class: "lit-verdict" }, accept, reject, base),
    legend,
  );

  function update(): void {
    // A running job needs its Stop button, which lies below.
    element.hidden = !store.open || store.running;
    setText(title, proposalTitle(store));
    accept.disabled = reject.disabled = !store.online;
    const object = store.state && objectOf(store.state, store.proposal?.object ?? -1);
    legend.style.setProperty("--object", object?.colour ?? "");
    base.setAttribute("aria-pressed", String(store.holdBase));
  }
  return { element, update };
}

export function makeErrorBar(store: { error: string }, commands: { dismissError(): void }) {
  const text = h("span", {});
  const close = button({ icon: "cross", label: "Dismiss this error", run: commands.dismissError });
  const element = h("div", { class: "lit-error", role: "alert" }, text, close);

  function update(): void {
    element.hidden = store.error === "";
    setText(text, store.error);
  }
  return { element, update };
}

/** The order in which the groups fill the columns of the help evenly. */
const COLUMNS = ["Look", "Play and go", "Draw", "Track and learn", "Steps and objects"];
const inColumns = () => [...GROUPS].sort(([one], [other]) => COLUMNS.indexOf(one) - COLUMNS.indexOf(other));

function makeHelp(store: Store, commands: Commands) {
  const row = (shown: string, does: string) => [h("dt", {}, h("kbd", {}, shown)), h("dd", {}, does)];
  const list = (title: string, rows: HTMLElement[]) =>
    h("div", {}, h("h3", { class: "lit-heading" }, title), h("dl", { class: "lit-keys" }, ...rows));
  const close = button({ icon: "cross", label: "Close the help", key: "Esc", run: commands.toggleHelp });
  const element = h(
    "div",
    { class: "lit-help lit-scroll", role: "region", "aria-label": "Help", tabindex: 0 },
    close,
    h(
      "div",
      { class: "lit-columns" },
      list(
        "Mouse",
        MOUSE.flatMap(([shown, does]) => row(shown, does)),
      ),
      ...inColumns().map(([name, bindings]) =>
        list(
          name,
          bindings.flatMap(({ shown, does }) => row(shown, does)),
        ),
      ),
      h("div", {}, h("h3", { class: "lit-heading" }, "Time line"), makeLegend()),
    ),
  );
  const show = memo(() => {
    element.hidden = !store.help;
  });
  return { element, update: () => show(store.help) };
}

export function makeOverlays(store: Store, commands: Commands) {
  const onStage = [makeHint(store), makeErrorBar(store, commands)];
  const proposal = makeProposalBar(store, commands);
  const help = makeHelp(store, commands);
  return {
    onStage: onStage.map(({ element }) => element),
    proposal: proposal.element,
    help: help.element,
    update(): void {
      for (const overlay of [...onStage, proposal, help]) overlay.update();
    },
  };
}
