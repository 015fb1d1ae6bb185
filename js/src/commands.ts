// What the user can do, by mouse, button or key: each is one function here.

import { fillBits, strokeBits } from "./bits";
import type { Mask } from "./caches";
import { decodeMask, encodeMask } from "./codec";
import { clamp, type Point, type Size, tenth, WHOLE } from "./geometry";
import type { EditObject } from "./messages";
import {
  canFlag,
  canLearn,
  canTrack,
  isBegun,
  isInRange,
  NO_MASK,
  nextDoubtful,
  objectOf,
  rangeOf,
  statusOn,
  trackStart,
} from "./rules";
import type { Drawing, Store } from "./store";
import type { Tool, ToolName } from "./tools/tool";
import type { Transport } from "./transport";

const ONE_FRAME = "There is only one frame: nothing to track or to play";
const SPEEDS = [0.25, 0.5, 1, 2, 4];

export interface Surroundings {
  store: Store;
  transport: Pick<Transport, "send">;
  setLook(look: typeof WHOLE): void;
  releaseFocus(): void;
  /** The frame on the screen, which lags behind the playhead while pixels are on their way. */
  painted(): number;
  /** The size of the video. */
  size(): Size;
  tool(): Tool;
  /** Make ready what is painted of a mask whose bits are known, so that it shows in the next picture. */
  prepare(mask: Mask, bits: Uint8Array): void;
}

export type Commands = ReturnType<typeof makeCommands>;

export function makeCommands(surroundings: Surroundings) {
  const { store, transport, setLook, releaseFocus, painted, size, tool, prepare } = surroundings;
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
    if (!reached()) return;
    if (!store.open) say("There is no proposal: press W where the mask is wrong");
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

  /** Whether there is a kernel to do it; shows that there is none. */
  function reached(): boolean {
    if (!store.online) store.set({ refused: store.refused + 1 });
    return store.online;
  }

  /** Whether the active object may be changed; says why not. */
  function free(): boolean {
    if (!reached()) return false;
    const object = active();
    if (object?.locked) say(`${object.name} is locked: press K to unlock it`);
    return object !== null && !object?.locked;
  }

  /** The user works on what is on the screen; a playhead that moves by itself may be ahead of it. */
  function takeOver(): void {
    if (store.playing || store.following) seek(painted());
    if (store.running && store.job?.kind === "track") transport.send({ type: "interrupt" });
  }

  /** What was sent is shown until it is answered, but not where that it was sent shows that nobody will. */
  function keepWaiting(): void {
    if (!reached()) store.dropWaiting();
  }

  function giveMask(frame: number, object: number, bytes: ArrayBuffer, bits: Uint8Array): void {
    const mask = store.masks.draft(frame, object, new Uint8Array(bytes));
    prepare(mask, bits);
    transport.send({ type: "giveMask", frame, object }, [bytes]);
    keepWaiting();
    store.notify();
  }

  /** Apply what was drawn to the mask that is there; strokes that follow each other fast are applied in order. */
  async function apply({ frame, object, kind, points, radius }: Drawing): Promise<void> {
    const before = store.masks.get(frame, object);
    const { width, height } = size();
    const bits = before ? await decodeMask(before.bytes, width, height) : new Uint8Array(width * height);
    if (kind === "brush" || kind === "eraser") {
      strokeBits(bits, { width, height }, points, radius, kind === "brush" ? 1 : 0);
    } else fillBits(bits, { width, height }, points, kind === "lasso" ? 1 : 0);
    const bytes = await encodeMask(bits);
    if (store.drawing?.points === points) store.drawing = null;
    giveMask(frame, object, bytes, bits);
  }

  let applied: Promise<void> = Promise.resolve();

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
      if (store.nFrames < 2) {
        say(ONE_FRAME);
        return;
      }
      const [first, last] = store.state && store.looping ? rangeOf(store.state) : [0, store.nFrames - 1];
      if (!store.playing && (store.frame >= last || store.frame < first)) store.seek(first);
      store.stopFollowing();
      store.set({ playing: !store.playing });
    },

    /** Show the marker at once; `sendClick` tells the kernel. A click stops the tracking, but no learning. */
    markClick(point: Point, positive: boolean) {
      takeOver();
      const click = { frame: store.frame, object: store.active, ...point, positive };
      store.addPending(click);
      return click;
    },
    sendClick(click: Parameters<Store["addPending"]>[0]): void {
      transport.send({ type: "click", ...click });
      keepWaiting();
    },
    /** Begin to draw on the picture. */
    draw(kind: Drawing["kind"], at: Point): void {
      if (!store.state || !free()) return;
      takeOver();
      store.set({
        drawing: { kind, frame: store.frame, object: store.active, points: [at], radius: store.brush },
      });
    },
    /** Go on drawing; `keep` points at most are kept of the way. */
    drawTo(at: Point, keep = Number.POSITIVE_INFINITY): void {
      const { drawing } = store;
      if (drawing) store.set({ drawing: { ...drawing, points: [...drawing.points.slice(0, keep), at] } });
    },
    drawn(): Promise<void> {
      const { drawing } = store;
      if (drawing) applied = applied.then(() => apply(drawing));
      return applied;
    },
    boxed(): void {
      const { drawing } = store;
      store.set({ drawing: null });
      const [from, to] = drawing?.points ?? [];
      if (!drawing || !from || !to) return;
      const { width, height } = size();
      const [x0, x1] = [from.x, to.x].map((x) => tenth(clamp(x, 0, width))).sort((a, b) => a - b);
      const [y0, y1] = [from.y, to.y].map((y) => tenth(clamp(y, 0, height))).sort((a, b) => a - b);
      const corners = { x0: x0 as number, y0: y0 as number, x1: x1 as number, y1: y1 as number };
      if (corners.x1 - corners.x0 < 1 || corners.y1 - corners.y0 < 1) say("Drag from corner to corner");
      else transport.send({ type: "box", frame: drawing.frame, object: drawing.object, ...corners });
    },
    chooseTool(name: ToolName): void {
      tool().stop();
      store.set({ tool: name });
    },
    sizeBrush(factor: number): void {
      const grown = factor > 1 ? Math.ceil(store.brush * factor) : Math.floor(store.brush * factor);
      store.set({ brush: clamp(grown, 1, 256) });
    },
    removePrompt(frame: number, index: number): void {
      if (free()) transport.send({ type: "removePrompt", frame, object: store.active, index });
    },
    clearPrompts(frame: number): void {
      if (!free()) return;
      store.dropPending(frame, store.active);
      transport.send({ type: "clearPrompts", frame, object: store.active });
    },
    dropClick(frame: number, object: number): void {
      store.dropPending(frame, object);
    },

    loop: () => store.set({ looping: !store.looping }),
    /** Play slower or faster. */
    play(faster: number): void {
      const at = SPEEDS.indexOf(store.speed) + faster;
      store.set({ speed: SPEEDS[clamp(at, 0, SPEEDS.length - 1)] as number });
    },
    nextSpeed(): void {
      store.set({ speed: SPEEDS[(SPEEDS.indexOf(store.speed) + 1) % SPEEDS.length] as number });
    },

    /** Let tracking begin or end here; a mark beyond the other one lifts that one. */
    markRange(end: "first" | "last"): void {
      if (!store.state || !reached()) return;
      const [first, last] = rangeOf(store.state);
      const range = {
        first: store.state.range.length > 0 ? first : null,
        last: store.state.range.length > 0 ? last : null,
      };
      range[end] = store.frame;
      if (end === "first" && store.frame > last) range.last = null;
      if (end === "last" && store.frame < first) range.first = null;
      transport.send({ type: "setRange", ...range });
    },
    clearRange: () => transport.send({ type: "setRange", first: null, last: null }),

    nextDoubtful(): void {
      const strip = store.confidence.get(store.active);
      const frame = strip && nextDoubtful(strip, store.frame);
      if (frame === undefined)
        say(
          strip?.some((each) => each !== NO_MASK)
            ? "No mask is doubtful"
            : "Track first: doubtful masks are found then",
        );
      else if (frame === store.frame) say("No other mask is doubtful");
      else seek(frame);
    },

    track(reverse = false): void {
      if (!store.state || !reached()) return;
      if (!canTrack(store.state)) {
        say("Nothing to track yet: click the object first");
        return;
      }
      if (store.nFrames < 2) {
        say(ONE_FRAME);
        return;
      }
      const object = active();
      if (object && !isBegun(store.state, object))
        say(`${object.name} has no prompt yet: click it to track it too`);
      else if (object && !isInRange(store.state, object))
        say(`${object.name} has no mask in the range: it is not tracked`);
      transport.send({ type: "track", start: trackStart(store.state, store.frame, reverse), reverse });
    },

    /** Close what is being drawn, else learn. */
    enter(): void {
      if (!tool().finish?.()) this.learn();
    },

    learn(): void {
      if (!free() || !store.state) return;
      if (!canLearn(store.state, store.frame, store.active)) {
        say("Nothing to learn on this frame: correct its mask first");
        return;
      }
      store.dropPending(store.frame, store.active);
      transport.send({ type: "learn", frame: store.frame, object: store.active });
    },

    flag(): void {
      if (!free() || !store.state) return;
      if (!store.state.proposes) {
        say("Nothing is proposed here: click to correct");
        return;
      }
      if (!canFlag(store.state, store.frame, store.active)) {
        const own = statusOn(active() ?? undefined, store.frame) === "prompted";
        say(
          own
            ? "This frame holds your own prompt: click to change its mask"
            : "No mask here yet: track first",
        );
        return;
      }
      transport.send({ type: "flag", frame: store.frame, object: store.active });
    },

    accept: () => judge("accept"),
    reject: () => judge("reject"),
    pick,
    holdBase: (hold: boolean) => {
      if (store.holdBase !== hold) store.set({ holdBase: hold && store.proposal !== null });
    },

    /** Take back the latest step, whatever it was and wherever. */
    undo(): void {
      if (!store.canUndo) {
        if (reached()) say("There is nothing to undo");
        return;
      }
      store.dropNewest();
      transport.send({ type: "undo" });
    },
    redo(): void {
      if (!reached()) return;
      if (store.state?.can_redo) transport.send({ type: "redo" });
      else say("There is nothing to redo");
    },
    setLearning: (on: boolean) => transport.send({ type: "setLearning", on }),
    /** Make the adapter unlearn a correction of the active object. */
    forget: (frame: number) => transport.send({ type: "forget", frame, object: store.active }),

    addObject(): void {
      if (reached()) transport.send({ type: "addObject" });
    },
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
      if (!object || !reached()) return;
      if (store.notice) store.set({ notice: "" });
      edit(id, { [what]: !object[what] });
      // At once, so that the next key already finds it so; the kernel cannot refuse.
      store.amend(id, { [what]: !object[what] });
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
      else if (store.drawing) tool().stop();
      else if (store.editing !== null) store.set({ editing: null });
      else if (store.full && !(store.running && store.job?.id !== cancelled)) store.set({ full: false });
      else if (store.running && store.job?.id !== cancelled) cancel();
      else {
        releaseFocus();
        store.set({ away: true });
      }
    },
    /** The widget has the keys, by a click or by Tab. */
    comeBack(): void {
      if (store.away) store.set({ away: false });
    },

    wholeFrame: () => setLook(WHOLE),
    toggleFull: () => store.set({ full: !store.full }),
    toggleHelp: () => store.set({ help: !store.help }),
    dismissError: () => store.set({ error: "" }),
  };
}
