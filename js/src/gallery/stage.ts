// The image to label, as large as it fits, and what was said of it.

import { h, icon, memo, setText } from "../dom";
import type { Verdict } from "./messages";
import { type GalleryStore, SKIPPED } from "./store";

export const SAID: { [V in Verdict]: string } = {
  open: "",
  confirmed: "the model knew it",
  accepted: "the adapter knew it",
  corrected: "corrected",
  skipped: "skipped",
};

export function makeStage(store: GalleryStore) {
  const hint = h("span", {});
  const over = h("div", { class: "lit-hint", "aria-hidden": "true" }, hint);
  const name = h("span", { class: "lit-ellipsis" });
  const said = h("strong", { class: "lit-ellipsis" });
  const how = h("span", {});
  const flag = h("span", { class: "lit-flagged" }, icon("wrong"), "flagged");
  const caption = h("div", { class: "lit-about-image" }, name, said, how, flag);
  const holder = h("div", { class: "lit-picture", role: "img" });
  const element = h("div", { class: "lit-stage" }, holder, caption, over);

  const show = memo(() => {
    const picture = store.pictures.large.get(store.image);
    const small = picture ?? store.pictures.small.get(store.image);
    holder.replaceChildren(...(small && !small.broken ? [small.element.cloneNode() as Node] : []));
    holder.classList.toggle("lit-rough", picture === undefined);
  });

  function words(): string {
    if (store.link === "disconnected") return "Not connected";
    if (!store.state || !store.look) return "Waiting for the kernel";
    if (store.image < 0)
      return store.looking ? "The model looks at the first images" : "No image can be labelled";
    const large = store.pictures.large.get(store.image);
    if (large?.broken) return "This image cannot be read";
    return large || store.pictures.small.get(store.image) ? "" : "Loading the image";
  }

  function update(): void {
    const { tile, image } = store;
    const large = store.pictures.large.get(image);
    show(image, large !== undefined, store.pictures.small.get(image) !== undefined);
    setText(hint, words());
    over.hidden = words() === "";
    const label = tile ? store.labelOf(tile) : null;
    caption.hidden = !tile;
    setText(name, tile?.name ?? "");
    setText(said, label === null || label === SKIPPED ? "" : store.nameOf(label));
    setText(how, label === null ? "" : label === SKIPPED ? "skipped" : SAID[tile?.verdict ?? "open"]);
    said.hidden = label === null || label === SKIPPED;
    how.hidden = how.textContent === "";
    flag.hidden = !tile?.flagged;
    holder.setAttribute("aria-label", tile ? `Image ${image}: ${tile.name}` : "No image");
  }
  return { element, update };
}
