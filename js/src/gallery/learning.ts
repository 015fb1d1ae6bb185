// What the group's adapter has learned, from which images, and what that saved.

import { button, h, memo, setText } from "../dom";
import { brief } from "../learning";
import type { Commands } from "./commands";
import type { GalleryStore } from "./store";

const MOST_SOURCES = 24;

export function makeLearning(store: GalleryStore, commands: Commands) {
  const power = button({
    text: "on",
    label: "Learning on",
    class: "lit-small lit-switch",
    run: () => commands.setLearning(!store.state?.learning),
  });
  const facts = h("div", { class: "lit-learned", tabindex: -1 });
  const saved = h("span", { class: "lit-saved" });
  saved.title = "Labels that the model missed and the adapter knew: each saved a correction";
  const element = h(
    "div",
    { class: "lit-section" },
    h("div", { class: "lit-title-row" }, h("h3", { class: "lit-heading" }, "Learning"), saved, power),
    facts,
  );

  /** An image that was learned: a way to it, and to make the adapter unlearn it. */
  function chip(image: number, label: number): HTMLElement {
    const name = store.nameOf(label);
    const jump = button({
      label: `Learned that image ${image} is ${name}: go to it`,
      run: () => commands.show(image),
    });
    const picture = store.pictures.small.get(image);
    jump.append(picture && !picture.broken ? picture.element.cloneNode() : String(image));
    const forget = button({
      icon: "cross",
      label: `Unlearn image ${image}; its label ${name} stays`,
      run: () => commands.unlearn(image),
    });
    return h("li", {}, jump, forget);
  }

  function sources(): HTMLElement[] {
    const { adapter } = store.state ?? {};
    if (!store.state?.learning) {
      return [h("p", { class: "lit-dim" }, "Off: corrections are not learned and adapters are not asked.")];
    }
    if (!adapter || adapter.version === 0) {
      return [
        h(
          "p",
          { class: "lit-dim" },
          "Nothing in this group yet. Its adapter learns from your first correction.",
        ),
      ];
    }
    const latest = adapter.learned_from
      .map((image, i) => [image, adapter.labels[i] ?? -1] as const)
      .filter(([image], i, all) => all.findLastIndex(([other]) => other === image) === i)
      .slice(-MOST_SOURCES)
      .reverse();
    const took = adapter.update_s > 0 ? ` · ${brief(adapter.update_s)} s` : "";
    return [
      h("p", { class: "lit-dim" }, h("strong", {}, `Adapter v${adapter.version}`), `${took} · learned from`),
      h("ul", { class: "lit-sources" }, ...latest.map(([image, label]) => chip(image, label))),
    ];
  }

  function savings(): HTMLElement[] {
    const { n_accepted = 0, n_corrected = 0 } = store.state ?? {};
    const given = n_corrected === 1 ? "1 correction" : `${n_corrected} corrections`;
    return [
      h(n_accepted > 0 ? "strong" : "span", {}, `${n_accepted} saved`),
      h("span", { class: "lit-dim" }, given),
    ];
  }

  const draw = memo(() => {
    const focused = facts.contains(document.activeElement);
    facts.replaceChildren(...(store.state ? sources() : []));
    saved.replaceChildren(...(store.state ? savings() : []));
    if (focused) facts.focus();
  });

  function update(): void {
    const { state } = store;
    const on = state?.learning ?? true;
    power.setAttribute("aria-pressed", String(on));
    power.setAttribute("aria-label", `Learning ${on ? "on" : "off"}`);
    power.title = on ? "Learning is on: press to stop it" : "Learning is off: press to turn it on";
    setText(power.firstElementChild as Element, on ? "on" : "off");
    power.disabled = !state;
    const here = state?.adapter.learned_from.map((image) => store.pictures.small.get(image) !== undefined);
    draw(state?.adapter, on, state?.n_accepted, state?.n_corrected, here);
  }
  return { element, update };
}
