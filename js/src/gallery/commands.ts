// What the user can do in the gallery, by button or key: each is one function here.

import type { Transport } from "../transport";
import { findClasses } from "./find";
import type { ToGallery, ToKernel } from "./messages";
import { type GalleryStore, SKIPPED } from "./store";

export const ROWS = 9;

export interface Surroundings {
  store: GalleryStore;
  transport: Pick<Transport<ToKernel, ToGallery>, "send">;
  releaseFocus(): void;
  /** Put the focus where letters are typed, with these there, or back to the widget. */
  focusSearch(text: string | null): void;
}

export type Commands = ReturnType<typeof makeCommands>;

export function makeCommands({ store, transport, releaseFocus, focusSearch }: Surroundings) {
  const ready = () => store.state !== null && store.image >= 0 && store.link !== "disconnected";

  function label(label: number): void {
    if (!ready()) return;
    const { image } = store;
    transport.send({ type: "label", image, label });
    store.notice = "";
    store.said(image, label);
  }

  function show(image: number): void {
    if (image !== store.image) transport.send({ type: "show", image });
    store.goTo(image);
  }

  function closeSearch(): void {
    store.set({ search: null });
    focusSearch(null);
  }

  const found = () => findClasses(store.classes, store.search?.text ?? "", ROWS);

  return {
    label,
    show,
    found,

    /** Take the n-th row, of the guesses or of what was found. */
    row(n: number): void {
      const chosen = store.search ? found()[n] : store.guesses[n]?.label;
      if (chosen === undefined) return;
      if (store.keepsLabel) {
        store.set({ notice: "This image has its label; ← or a click goes to an image to change it" });
        return;
      }
      if (store.search) closeSearch();
      label(chosen);
    },
    first(): void {
      this.row(0);
    },
    skip(): void {
      if (!ready()) return;
      transport.send({ type: "skip", image: store.image });
      store.said(store.image, SKIPPED);
    },
    flag(): void {
      if (!ready()) return;
      transport.send({ type: "setFlag", image: store.image, on: !store.tile?.flagged });
    },
    /** Go to a neighbour in the group. */
    step(by: number): void {
      const tiles = store.state?.tiles ?? [];
      const at = tiles.findIndex(({ image }) => image === store.image);
      const to = tiles[at + by];
      if (at >= 0 && to) show(to.image);
    },
    /** Go to the group before or after this one. */
    group(by: number): void {
      const groups = store.state?.groups ?? [];
      const at = groups.findIndex(({ group }) => group === store.state?.group);
      const to = groups[at + by];
      if (at >= 0 && to) transport.send({ type: "showGroup", group: to.group });
    },
    unlearn: (image: number) => transport.send({ type: "unlearn", image }),
    undo(): void {
      if (store.state?.can_undo || store.pending.size > 0) transport.send({ type: "undo" });
    },
    redo(): void {
      if (store.state?.can_redo) transport.send({ type: "redo" });
    },
    setLearning: (on: boolean) => transport.send({ type: "setLearning", on }),
    look: () => transport.send({ type: "look" }),
    stop: () => transport.send({ type: "cancel" }),

    /** Begin to search, with what was typed so far. */
    type(text: string): void {
      if (!store.state) return;
      store.set({ search: { text, picked: text.trim() ? 0 : -1 } });
      focusSearch(text);
    },
    pick(by: number): void {
      if (!store.search) return;
      const count = Math.max(1, found().length);
      const picked =
        store.search.picked < 0 && by < 0 ? count - 1 : (store.search.picked + by + count) % count;
      store.set({ search: { ...store.search, picked } });
    },
    take(): void {
      if (!store.search) return;
      if (store.search.picked < 0) {
        store.set({ notice: "Type a part of the class's name, or choose with ↑ ↓" });
        return;
      }
      const chosen = found()[store.search.picked];
      if (chosen === undefined) store.set({ notice: `There is no class like ${store.search.text}` });
      else this.row(store.search.picked);
    },
    closeSearch,

    /** Close what is open, else let the notebook have the keys again; never a dead end. */
    escape(): void {
      if (store.help) store.set({ help: false });
      else if (store.search) closeSearch();
      else if (store.full) store.set({ full: false });
      else {
        releaseFocus();
        store.set({ away: true });
      }
    },
    /** The widget has the keys, by a click or by Tab. */
    comeBack(): void {
      if (store.away) store.set({ away: false });
    },
    toggleFull: () => store.set({ full: !store.full }),
    toggleHelp: () => store.set({ help: !store.help }),
    helpIsOpen: () => store.help,
    dismissError: () => store.set({ error: "" }),
  };
}
