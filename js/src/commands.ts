// What the user can do, by mouse, button or key: each is one function here.

import { type Point, WHOLE } from "./geometry";
import type { EditObject } from "./messages";
import { canFlag, canLearn, canTrack, objectOf, promptsOn, trackStart } from "./rules";
import type { Store } from "./store";
import type { Transport } from "./transport";

export interface Surroundings {
  store: Store;
  transport: Pick<Transport, "send">;
  setLook(look: typeof WHOLE): void;
  releaseFocus(): void;
  /** The frame on the screen, which lags behind the playhead while pixels are on their way. */
  painted(): number;
}

export type Commands = ReturnType<typeof makeCommands>;

export function makeCommands({ store, transport, setLook, releaseFocus, painted }: Surroundings) {
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
    const { proposal } = store;
    if (!proposal || !proposalInSight()) return;
    proposal.judged = true;
    transport.send(verdict === "accept" ? { type: verdict, candidate: proposal.picked } : { type: verdict });
    store.notify();
  }

  /** Stop what moves the playhead by itself. */
  function hold(): void {
    store.stopFollowing();
    if (store.playing) store.set({ playing: false });
  }

  function seek(frame: number): void {
    hold();
    store.seek(frame);
  }

  function cancel(): void {
    if (!store.running || !store.job) return;
    cancelled = store.job.id;
    transport.send({ type: "cancel" });
  }

  function choose(id: number): void {
    if (!store.state || !objectOf(store.state, id) || store.active === id) return;
    store.set({ active: id });
    transport.send({ type: "choose", object: id });
  }

  function pick(candidate: number): void {
    if (!store.proposal?.candidates[candidate] || !proposalInSight()) return;
    store.proposal.picked = candidate;
    store.notify();
  }

  const active = () => store.state && objectOf(store.state, store.active);
  const say = (notice: string) => store.set({ notice });

  /** Whether the active object may be changed; says why not. */
  function free(): boolean {
    const object = active();
    if (object?.locked) say(`${object.name} is locked: press K to unlock it`);
    return object !== null && !object?.locked;
  }

  function edit(id: number, change: Partial<Omit<EditObject, "type" | "object">>): void {
    transport.send({ type: "editObject", object: id, ...change });
  }

  function deleteObject(id: number): void {
    if (!store.state || !objectOf(store.state, id) || !free()) return;
    if (store.running && store.job?.kind === "track") transport.send({ type: "interrupt" });
    store.set({ editing: null });
    transport.send({ type: "deleteObject", object: id });
  }

  return {
    seek,
    step: (by: number) => seek(store.frame + by),
    first: () => seek(0),
    last: () => seek(store.nFrames - 1),

    togglePlay(): void {
      if (store.nFrames < 2) return;
      if (!store.playing && store.frame >= store.nFrames - 1) store.seek(0);
      store.stopFollowing();
      store.set({ playing: !store.playing });
    },

    /** Show the marker at once; `sendClick` tells the kernel. A click stops the tracking, but no learning. */
    markClick(point: Point, positive: boolean) {
      // A playhead that moves by itself may be ahead of what the user saw and clicked.
      if (store.playing || store.following) seek(painted());
      if (store.running && store.job?.kind === "track") transport.send({ type: "interrupt" });
      const click = { frame: store.frame, object: store.active, ...point, positive };
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
      if (!free() || !store.state || !canLearn(store.state, store.frame, store.active)) return;
      store.dropPending(store.frame, store.active);
      transport.send({ type: "learn", frame: store.frame, object: store.active });
    },

    flag(): void {
      if (!free() || !store.state || !canFlag(store.state, store.frame, store.active)) return;
      transport.send({ type: "flag", frame: store.frame, object: store.active });
    },

    accept: () => judge("accept"),
    reject: () => judge("reject"),
    pick,
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
    redo(): void {
      if (store.state?.can_redo) transport.send({ type: "redo" });
    },
    /** Make the adapter unlearn a correction of the active object. */
    forget: (frame: number) => transport.send({ type: "forget", frame, object: store.active }),

    addObject: () => transport.send({ type: "addObject" }),
    choose,
    edit,
    deleteObject,
    free,
    editActive(): void {
      this.editObject(store.active);
    },
    deleteActive: () => deleteObject(store.active),
    toggle(what: "hidden" | "locked", id = store.active): void {
      const object = store.state && objectOf(store.state, id);
      if (object) edit(id, { [what]: !object[what] });
    },
    /** Open the editor of an object, or close it. */
    editObject(id: number | null): void {
      if (id !== null) choose(id);
      store.set({ editing: store.editing === id ? null : id });
    },
    /** A number means a candidate where there are several to choose from, else an object. */
    chooseNumber(number: number): void {
      if (store.open && number <= store.open.candidates.length && store.open.candidates.length > 1) {
        pick(number - 1);
      } else choose(number);
    },

    cancel,

    /** Close the help, else stop the job, else let the notebook have the keys again; never a dead end. */
    escape(): void {
      if (store.help) store.set({ help: false });
      else if (store.running && store.job?.id !== cancelled) cancel();
      else releaseFocus();
    },

    wholeFrame: () => setLook(WHOLE),
    toggleHelp: () => store.set({ help: !store.help }),
    dismissError: () => store.set({ error: "" }),
  };
}
