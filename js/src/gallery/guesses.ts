// What the base model and the adapter think, side by side, as buttons; or what a search finds.

import { h, memo, setText } from "../dom";
import { type Commands, ROWS } from "./commands";
import type { Guess } from "./messages";
import type { GalleryStore } from "./store";

const DOUBLE_CLICK_MS = 250;

let views = 0;

/** Percent in words: never "0" for what is only small. */
export const percent = (share: number): string =>
  share < 0 ? "" : share > 0 && share < 1 ? "<1" : String(Math.round(share));

function makeRow(index: number, run: () => void) {
  // Enter takes the first one too, and it is what most people will press.
  const key = h("kbd", { "aria-hidden": "true" }, index === 0 ? "⏎" : String(index + 1));
  const name = h("span", { class: "lit-ellipsis" });
  const bars = [h("span", { class: "lit-share lit-base" }), h("span", { class: "lit-share lit-adapted" })];
  for (const bar of bars) bar.append(h("span", { class: "lit-fill" }), h("span", {}));
  const element = h(
    "button",
    { type: "button", class: "lit-button lit-guess", role: "option", tabindex: -1 },
    key,
    name,
    ...bars,
  );
  element.addEventListener("mousedown", (event) => event.preventDefault());
  let clicked = Number.NEGATIVE_INFINITY;
  element.addEventListener("click", ({ timeStamp }) => {
    // A double click must not label the next image, too.
    if (timeStamp - clicked > DOUBLE_CLICK_MS) run();
    clicked = timeStamp;
  });

  function update(label: string, guess: Guess | null): void {
    setText(name, label);
    element.title = label;
    const shares = guess ? [guess.base, guess.adapter] : [-1, -1];
    bars.forEach((bar, i) => {
      const share = shares[i] as number;
      const [fill, number] = bar.children as unknown as [HTMLElement, HTMLElement];
      fill.style.width = `${Math.max(0, share)}%`;
      setText(number, percent(share));
      bar.hidden = share < 0;
    });
  }
  return { element, update };
}

export function makeGuesses(store: GalleryStore, commands: Commands) {
  const id = `lit-guesses-${++views}`;
  const input = h("input", {
    class: "lit-name",
    type: "text",
    role: "combobox",
    "aria-label": "Search all classes",
    "aria-autocomplete": "list",
    "aria-controls": id,
    autocomplete: "off",
    spellcheck: "false",
  });
  input.addEventListener("input", () => commands.type(input.value));
  input.addEventListener("focus", () => {
    if (!store.search) commands.type(input.value);
  });
  input.addEventListener("blur", () => {
    if (store.search) store.set({ search: null });
  });
  const head = h("h3", { class: "lit-heading" });
  const base = h("span", { class: "lit-dim" }, "model");
  const adapter = h("span", { class: "lit-dim" });
  base.title = "What the model thinks, in per cent";
  const rows = Array.from({ length: ROWS }, (_, index) => makeRow(index, () => commands.row(index)));
  rows.forEach(({ element }, index) => {
    element.id = `${id}-${index}`;
  });
  const list = h("div", { class: "lit-guesses", role: "listbox", id }, ...rows.map((row) => row.element));
  const nothing = h("p", { class: "lit-dim" });
  const element = h(
    "div",
    { class: "lit-section lit-asked" },
    input,
    h("div", { class: "lit-columns" }, head, base, adapter),
    list,
    nothing,
  );

  const hint = memo(() => {
    const digits = store.classes.some((name) => /^\d/.test(name));
    input.placeholder = `Type${digits ? ", or / before a digit," : ""} to search all classes`;
  });
  const fill = memo(() => {
    const { search } = store;
    // While a correction is learned, what was guessed before it stays in sight, pale and without effect.
    const guesses = store.card?.guesses ?? [];
    const shown = search
      ? commands
          .found()
          .map((label) => ({ label, guess: guesses.find((each) => each.label === label) ?? null }))
      : guesses.map((guess) => ({ label: guess.label, guess }));
    rows.forEach(({ element: row, update }, index) => {
      const item = shown[index];
      row.hidden = !item;
      row.setAttribute("aria-selected", String(index === (search?.picked ?? 0)));
      row.classList.toggle("lit-next", index === (search?.picked ?? 0));
      row.classList.toggle("lit-top", !search && index + 1 === store.state?.top);
      if (item) update(store.nameOf(item.label), item.guess);
    });
    nothing.hidden = !search || (shown.length > 0 && shown.length < ROWS);
    const many = `${ROWS} of ${store.classes.length} classes at most; type more of the name`;
    setText(nothing, shown.length ? many : `No class is called so; there are ${store.classes.length}.`);
  });

  function update(): void {
    const { search, state } = store;
    if (search && input.value !== search.text) input.value = search.text;
    if (!search && input.value !== "") input.value = "";
    input.disabled = !state;
    hint(store.classes.length);
    input.setAttribute("aria-expanded", String(search !== null));
    if (search && search.picked >= 0) input.setAttribute("aria-activedescendant", `${id}-${search.picked}`);
    else input.removeAttribute("aria-activedescendant");
    setText(head, search ? "Classes found" : "Guesses");
    list.setAttribute("aria-label", head.textContent ?? "");
    const version = store.card?.version ?? 0;
    setText(adapter, version > 0 ? "adapter" : "");
    adapter.title = `Adapter v${version}, trained on corrections in this group, in per cent`;
    list.classList.toggle("lit-found", search !== null);
    base.hidden = !store.card;
    element.classList.toggle("lit-single", version === 0);
    list.classList.toggle("lit-faint", !search && (store.awaiting || (store.image >= 0 && !store.card)));
    fill(store.image, store.card, store.search, store.classes.length, state?.top);
  }
  return { element, input, update };
}
