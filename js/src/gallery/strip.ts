// The group: images that the model takes for the same class, as thumbnails, and the way to other groups.

import { button, h, type IconName, icon, memo, setText } from "../dom";
import type { Commands } from "./commands";
import type { Tile, Verdict } from "./messages";
import { type GalleryStore, SKIPPED } from "./store";

/** Who knew the label, so that it shows without colour too. */
const MARKS: { [V in Verdict]: IconName } = {
  open: "check",
  confirmed: "check",
  accepted: "adapter",
  corrected: "brush",
  skipped: "forward",
};

const mark = (verdict: Verdict): HTMLElement =>
  h("span", { class: "lit-mark-said", "data-verdict": verdict }, icon(MARKS[verdict]));

/** What the marks on thumbnails mean, for the help. */
export function makeMarks(): HTMLElement {
  const rows: [Verdict, string][] = [
    ["confirmed", "the model had it among its first guesses"],
    ["accepted", "the adapter had it: a correction saved"],
    ["corrected", "neither had it: a correction, which is learned"],
    ["skipped", "skipped"],
  ];
  return h(
    "div",
    { class: "lit-marks-said" },
    ...rows.map(([verdict, text]) => h("span", {}, mark(verdict), text)),
  );
}

function makeTile(tile: Tile, store: GalleryStore, commands: Commands): HTMLElement {
  const label = store.labelOf(tile);
  const said = label === null ? "open" : label === SKIPPED ? "skipped" : store.nameOf(label);
  // What is on its way to the kernel gets its verdict there.
  const verdict = label === SKIPPED ? "skipped" : tile.verdict;
  const text = `${tile.name}: ${said}${tile.flagged ? ", flagged" : ""}`;
  const element = h("button", {
    type: "button",
    class: "lit-tile",
    tabindex: -1,
    title: text,
    "aria-label": text,
    "data-verdict": verdict,
  });
  if (tile.image === store.image) element.setAttribute("aria-current", "true");
  const picture = store.pictures.small.get(tile.image);
  if (picture && !picture.broken) element.append(picture.element.cloneNode());
  if (label !== null) {
    element.append(mark(verdict), h("span", { class: "lit-ellipsis" }, said));
  }
  if (tile.flagged) element.append(h("span", { class: "lit-mark-flag" }, icon("wrong")));
  element.addEventListener("mousedown", (event) => event.preventDefault());
  element.addEventListener("click", () => commands.show(tile.image));
  return element;
}

export function makeStrip(store: GalleryStore, commands: Commands) {
  const looks = h("span", { class: "lit-dim" }, "Looks like");
  const name = h("strong", { class: "lit-ellipsis" });
  const done = h("span", { class: "lit-dim lit-number" });
  const where = h("span", { class: "lit-dim lit-number" });
  const before = button({
    text: "↑",
    label: "Group before this one",
    class: "lit-small",
    run: () => commands.group(-1),
  });
  const after = button({ text: "↓", label: "Next group", class: "lit-small", run: () => commands.group(1) });
  before.title = "Group before this one (↑)";
  after.title = "Next group (↓)";
  const head = h("div", { class: "lit-strip-head" }, looks, name, done, where, before, after);
  const tiles = h("div", { class: "lit-tiles" });
  const element = h(
    "div",
    { class: "lit-strip", role: "group", "aria-label": "Images of the group" },
    head,
    tiles,
  );

  const draw = memo(() => {
    const all = store.state?.tiles ?? [];
    tiles.replaceChildren(...all.map((tile) => makeTile(tile, store, commands)));
    const current = tiles.querySelector<HTMLElement>("[aria-current]");
    // The image in sight stays a little left of the middle: what comes is worth more room than what was.
    if (current) tiles.scrollLeft = current.offsetLeft - tiles.clientWidth * 0.35;
  });

  function update(): void {
    const { state } = store;
    const at = state?.groups.findIndex(({ group }) => group === state.group) ?? -1;
    const group = state?.groups[at];
    head.hidden = !group;
    setText(name, group ? store.nameOf(group.group) : "");
    setText(done, group ? `${group.n_done} of ${group.n_images} done` : "");
    setText(where, state ? `group ${at + 1} of ${state.groups.length}` : "");
    before.disabled = at <= 0;
    after.disabled = !state || at < 0 || at + 1 >= state.groups.length;
    const here = state?.tiles.map(({ image }) => store.pictures.small.get(image) !== undefined);
    draw(state?.tiles, store.image, [...store.pending], here, store.classes.length);
  }
  return { element, update };
}
