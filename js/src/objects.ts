// The list of objects, and the editor of one.

import type { Commands } from "./commands";
import { button, h, icon, memo, setText } from "./dom";
import type { ObjectInfo } from "./messages";
import { objectOf } from "./rules";
import type { Store } from "./store";

const MAX_NAME = 80;

function coverage(object: ObjectInfo, nFrames: number): string {
  const frames = object.runs.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  return `${nFrames > 0 ? Math.round((frames / nFrames) * 100) : 0} %`;
}

/** A switch of an object; it stays in sight while it is on. */
function toggle(object: ObjectInfo, what: "hidden" | "locked", commands: Commands): HTMLButtonElement {
  const verb = what === "hidden" ? "Hide" : "Lock";
  const on = object[what];
  const element = button({
    icon: what === "hidden" ? (on ? "hidden" : "shown") : on ? "locked" : "unlocked",
    label: `${verb} ${object.name}`,
    key: what === "hidden" ? "H" : "K",
    class: "lit-small",
    run: () => commands.toggle(what, object.id),
  });
  element.setAttribute("aria-pressed", String(on));
  return element;
}

function row(object: ObjectInfo, store: Store, commands: Commands): HTMLElement {
  const covered = coverage(object, store.nFrames);
  const name = h(
    "button",
    {
      type: "button",
      class: "lit-object-name",
      "aria-pressed": String(object.id === store.active),
      "aria-label": `${object.id} ${object.name}, ${covered} tracked`,
      title: `Work on ${object.name}, ${covered} tracked${object.id <= 9 ? ` (${object.id})` : ""}`,
    },
    h("span", { class: "lit-swatch", style: `--object:${object.colour}` }, String(object.id)),
    " ",
    h("span", { class: "lit-ellipsis" }, object.name),
  );
  name.addEventListener("mousedown", (event) => event.preventDefault());
  name.addEventListener("click", () => commands.choose(object.id));
  name.addEventListener("dblclick", () => commands.editObject(object.id));
  const more = button({
    icon: "more",
    label: `Rename, recolour or delete ${object.name}`,
    key: "F2",
    class: "lit-small",
    run: () => commands.editObject(object.id),
  });
  more.setAttribute("aria-expanded", String(store.editing === object.id));
  return h(
    "div",
    { class: `lit-object ${object.id === store.active ? "lit-active" : ""}`.trim() },
    name,
    ...(object.locked ? [toggle(object, "locked", commands)] : []),
    toggle(object, "hidden", commands),
    more,
  );
}

/** Name, colour and end of one object; it stays in place while the list is drawn anew. */
function makeEditor(store: Store, commands: Commands) {
  const name = h("input", {
    class: "lit-name",
    "aria-label": "Name",
    maxlength: MAX_NAME,
    spellcheck: "false",
  });
  const colours = h("div", { class: "lit-colours", role: "group", "aria-label": "Colour" });
  const remove = button({
    icon: "trash",
    text: "Delete",
    label: "Delete the object with its masks and what was learned; Z brings it back",
    class: "lit-small",
    run: () => store.editing !== null && commands.deleteObject(store.editing),
  });
  const lock = button({
    icon: "locked",
    label: "Lock: no prompts, and tracking leaves it alone",
    key: "K",
    class: "lit-small",
    run: () => store.editing !== null && commands.toggle("locked", store.editing),
  });
  const done = button({ text: "Done", label: "Done", class: "lit-small", run: () => close() });
  const element = h(
    "div",
    { class: "lit-editor", role: "group" },
    name,
    colours,
    h("div", {}, remove, lock, done),
  );
  let shown: number | null = null;

  function commit(): void {
    const object = store.state && shown !== null ? objectOf(store.state, shown) : undefined;
    const text = name.value.trim();
    if (object && text && text !== object.name) commands.edit(object.id, { name: text });
    else if (object) name.value = object.name;
  }
  function close(): void {
    commit();
    shown = null;
    store.set({ editing: null });
    element.closest<HTMLElement>(".lit-widget")?.focus({ preventScroll: true });
  }
  name.addEventListener("blur", commit);
  name.addEventListener("keydown", (event) => {
    if (event.key === "Escape") name.value = (store.state && objectOf(store.state, shown ?? -1)?.name) ?? "";
    if (event.key === "Escape" || event.key === "Enter") close();
  });

  const drawColours = memo(() => {
    const object = store.state && objectOf(store.state, store.editing ?? -1);
    const buttons = store.state?.palette.map(([word, colour]) => {
      const element = button({
        label: `Colour ${word}`,
        class: "lit-colour",
        run: () => store.editing !== null && commands.edit(store.editing, { colour }),
      });
      element.style.setProperty("--object", colour);
      element.setAttribute("aria-pressed", String(object?.colour.toLowerCase() === colour.toLowerCase()));
      if (element.getAttribute("aria-pressed") === "true") element.append(icon("check"));
      return element;
    });
    const at = [...colours.children].indexOf(document.activeElement as Element);
    colours.replaceChildren(...(buttons ?? []));
    (colours.children[at] as HTMLElement | undefined)?.focus();
  });

  function update(): void {
    const { state, editing } = store;
    const object = state && editing !== null ? objectOf(state, editing) : undefined;
    element.hidden = !object;
    if (!object) {
      shown = null;
      return;
    }
    element.setAttribute("aria-label", `Change ${object.name}`);
    remove.disabled = object.locked;
    lock.setAttribute("aria-pressed", String(object.locked));
    drawColours(state?.palette, object.id, object.colour);
    if (shown === object.id) return;
    shown = object.id;
    name.value = object.name;
    name.select();
    name.focus({ preventScroll: true });
    element.scrollIntoView?.({ block: "nearest" });
  }
  return { element, update };
}

export function makeObjects(store: Store, commands: Commands) {
  const list = h("div", { class: "lit-objects", role: "group", "aria-label": "Objects" });
  const editor = makeEditor(store, commands);
  const add = button({
    icon: "add",
    text: "Add object",
    label: "Add object",
    key: "⇧N",
    run: commands.addObject,
  });
  const count = h("span", { class: "lit-whose" });
  const heading = h("h3", { class: "lit-heading" }, "Objects", count);
  const element = h("div", { class: "lit-section" }, heading, list, editor.element, add);

  const draw = memo(() => {
    const focused = list.contains(document.activeElement);
    const label = document.activeElement?.getAttribute("aria-label");
    const rows = store.state?.objects.map((object) => row(object, store, commands)) ?? [];
    list.replaceChildren(...rows);
    if (!focused) return;
    const again = [...list.querySelectorAll("button")];
    const same = again.find((each) => each.getAttribute("aria-label") === label);
    (same ?? again.find((each) => each.getAttribute("aria-pressed") === "true"))?.focus();
  });

  function update(): void {
    const { state } = store;
    add.disabled = !state;
    const n = state?.objects.length ?? 0;
    setText(count, n > 1 ? ` · ${n}` : "");
    draw(state?.objects, store.active, store.nFrames, store.editing);
    editor.update();
  }
  return { element, update };
}
