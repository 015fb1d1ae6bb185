// What the user can do, by mouse, button or key: each is one function here.

import { type Point, WHOLE } from "./geometry";
import { canFlag, canLearn, canTrack, objectOf, promptsOn, trackStart } from "./rules";
import type { Store } from "./store";
import type { Transport } from "./transport";

export interface Surroundings {
  store: Store;
  transport: Pick<Transport, "send">;
  setLook(look: typeof WHOLE): void;
  releaseFocus(): void;
}

export type Commands = ReturnType<typeof makeCommands>;

export function makeCommands({ store, transport, setLook, releaseFocus }: Surroundings) {
  let cancelled = -1;

  /** The proposal to judge; the user must see it first. */
  function proposalInSight(): boolean {
    const open = store.open;
    if (!open) return false;
    if (open.frame === store.frame) return true;
    seek(open.frame);
    return false;
  }

  function judge(verdict: "accept" | "reject"): void {
    if (!store.proposal || !proposalInSight()) return;
    store.proposal.judged = true;
    transport.send({ type: verdict });
    store.notify();
  }

  function seek(frame: number): void {
    if (store.playing) store.set({ playing: false });
    store.seek(frame);
  }

  return {
    seek,
    step: (by: number) => seek(store.frame + by),
    first: () => seek(0),
    last: () => seek(store.nFrames - 1),

    togglePlay(): void {
      if (store.nFrames < 2) return;
      if (!store.playing && store.frame >= store.nFrames - 1) store.seek(0);
      store.set({ playing: !store.playing });
    },

    /** Show the marker at once; `sendClick` tells the kernel. */
    markClick(point: Point, positive: boolean) {
      const click = { frame: store.frame, object: store.active, ...point, positive };
      if (store.playing) store.set({ playing: false });
      store.addPending(click);
      return click;
    },
    sendClick(click: Parameters<Store["addPending"]>[0]): void {
      transport.send({ type: "click", ...click });
    },
    dropClick(frame: number, object: number): void {
      store.dropPending(frame, object);
    },

    track(reverse = false): void {
      if (!store.state || !canTrack(store.state)) return;
      transport.send({ type: "track", start: trackStart(store.state, store.frame, reverse), reverse });
    },

    learn(): void {
      if (!store.state || !canLearn(store.state, store.frame, store.active)) return;
      store.dropPending(store.frame, store.active);
      transport.send({ type: "learn", frame: store.frame, object: store.active });
    },

    flag(): void {
      if (!store.state || !canFlag(store.state, store.frame, store.active)) return;
      transport.send({ type: "flag", frame: store.frame, object: store.active });
    },

    accept: () => judge("accept"),
    reject: () => judge("reject"),
    holdBase: (hold: boolean) => {
      if (store.holdBase !== hold) store.set({ holdBase: hold && store.proposal !== null });
    },

    /** Take back the latest step: the prompts that stand here, else the last correction. */
    undo(): void {
      const state = store.state;
      if (!state) return;
      if (promptsOn(store.markers(store.frame), store.frame, store.active).length > 0) {
        store.dropPending(store.frame, store.active);
        transport.send({ type: "clearPrompts", frame: store.frame, object: store.active });
      } else if (state.can_undo) transport.send({ type: "undo" });
    },

    addObject: () => transport.send({ type: "addObject" }),
    choose(id: number): void {
      if (!store.state || !objectOf(store.state, id) || store.active === id) return;
      store.set({ active: id });
      transport.send({ type: "choose", object: id });
    },

    cancel(): void {
      if (!store.running || !store.job) return;
      cancelled = store.job.id;
      transport.send({ type: "cancel" });
    },

    /** Close the help, else stop the job, else let the notebook have the keys again; never a dead end. */
    escape(): void {
      if (store.help) store.set({ help: false });
      else if (store.running && store.job?.id !== cancelled) this.cancel();
      else releaseFocus();
    },

    wholeFrame: () => setLook(WHOLE),
    toggleHelp: () => store.set({ help: !store.help }),
    dismissError: () => store.set({ error: "" }),
  };
}
