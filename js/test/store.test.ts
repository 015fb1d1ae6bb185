import { describe, expect, it } from "vitest";
import { Lru, MaskCache } from "../src/caches";
import type { Job } from "../src/messages";
import { hasProposals, nextAction, sourceOf, trackStart } from "../src/rules";
import { Store } from "../src/store";
import { bufferOf, someState } from "./fakes";

const info = (version: number) => ({ frame: 3, object: 1, version, status: "tracked" as const });
const click = { frame: 0, object: 1, x: 10, y: 20, positive: true };
const runs = (...all: [number, number, "tracked" | "prompted"][]) => [
  { id: 1, name: "rider", colour: "#e69f00", runs: all, hidden: false, locked: false, changed: [] },
];

describe("masks", () => {
  it("never go back to an older version", () => {
    const masks = new MaskCache();
    expect(masks.put(info(5), bufferOf(5))).toBe(true);
    expect(masks.put(info(4), bufferOf(4))).toBe(false);
    expect(masks.get(3, 1)?.version).toBe(5);
    expect(masks.put(info(6), bufferOf(6))).toBe(true);
    expect([...(masks.get(3, 1)?.bytes ?? [])]).toEqual([6]);
  });

  it("are forgotten when the kernel says so, before new ones are taken in", () => {
    const store = new Store();
    store.receive({ type: "masks", items: [info(5)], forget: [] }, [bufferOf(5)]);
    store.receive({ type: "masks", items: [], forget: [[3, 1]] }, []);
    expect(store.masks.has(3, 1)).toBe(false);
    store.receive({ type: "masks", items: [info(2)], forget: [[3, 1]] }, [bufferOf(2)]);
    expect(store.masks.get(3, 1)?.version).toBe(2);
  });
});

it("forgets what was used longest ago, and lets go of it", () => {
  const dropped: number[] = [];
  const lru = new Lru<string, number>(
    10,
    (value) => value,
    (value) => dropped.push(value),
  );
  lru.set("a", 4);
  lru.set("b", 5);
  lru.get("a");
  lru.set("c", 3);
  expect([...lru.keys()]).toEqual(["a", "c"]);
  expect(dropped).toEqual([5]);
});

describe("pending clicks", () => {
  it("stand until the kernel lists them", () => {
    const store = new Store();
    store.receive(someState(), []);
    store.addPending(click);
    expect(store.markers(0)).toHaveLength(1);
    store.receive(someState(), []);
    expect(store.markers(0)).toHaveLength(1);
    store.receive(someState({ prompts: [{ ...click, x: 10.3 }] }), []);
    expect(store.pending).toHaveLength(0);
    expect(store.markers(0)).toHaveLength(1);
  });

  it("stand however long the kernel takes, and go when it objects", () => {
    const store = new Store();
    store.receive(someState(), []);
    store.addPending(click);
    store.receive(someState({ can_undo: true }), []);
    expect(store.markers(0)).toEqual([{ ...click, sent: false }]);
    store.receive({ type: "error", message: "no" }, []);
    expect(store.pending).toHaveLength(0);
    expect(store.error).toBe("no");
  });
});

it("keeps the view's choice of object until the kernel's changes", () => {
  const two = [
    ...runs(),
    { id: 2, name: "bike", colour: "#56b4e9", runs: [], hidden: false, locked: false, changed: [] },
  ];
  const store = new Store();
  store.receive(someState({ objects: two }), []);
  store.set({ active: 2 });
  store.receive(someState({ objects: two, can_undo: true }), []);
  expect(store.active).toBe(2);
  store.receive(someState({ objects: runs(), active_object: 1 }), []);
  expect(store.active).toBe(1);
});

it("goes to a proposal and closes it when told", () => {
  const store = new Store();
  store.receive(someState(), []);
  const candidates = [{ source: "adapter", adapter_version: 2, learned_from: [4] }];
  store.receive({ type: "proposalInfo", frame: 30, object: 1, candidates }, [bufferOf(1)]);
  expect([store.frame, store.proposed?.adapter_version]).toEqual([30, 2]);
  store.receive({ type: "proposalInfo", frame: -1, object: 0, candidates: [] }, []);
  expect(store.proposal).toBeNull();
});

describe("following", () => {
  const job = (id: number, change: Partial<Job> = {}): Job => ({
    type: "job",
    id,
    kind: "track",
    status: "running",
    done: 1,
    total: 9,
    left_s: 0,
    note: "",
    ...change,
  });
  const newMask = (store: Store, frame: number, version: number) =>
    store.receive({ type: "masks", items: [{ frame, object: 1, version, status: "tracked" }], forget: [] }, [
      bufferOf(1),
    ]);

  it("goes with the newest mask and never with one that was asked for", () => {
    const store = new Store();
    store.receive(someState(), []);
    newMask(store, 40, 3);
    expect(store.frame).toBe(0);
    store.receive(job(1), []);
    newMask(store, 1, 4);
    // Frame 2 is locked; tracking goes around it.
    newMask(store, 3, 5);
    newMask(store, 2, 1);
    expect([store.following, store.frame]).toEqual([true, 3]);
  });

  it("leaves who looks elsewhere alone", () => {
    const store = new Store();
    store.receive(someState(), []);
    store.receive(job(1), []);
    newMask(store, 5, 4);
    newMask(store, 6, 5);
    expect([store.following, store.frame]).toEqual([false, 0]);
  });

  it("stops with the job, and for a job that the user left", () => {
    const store = new Store();
    store.receive(someState(), []);
    store.receive(job(1), []);
    store.stopFollowing();
    store.receive(job(1, { done: 2 }), []);
    newMask(store, 5, 4);
    expect([store.following, store.frame]).toEqual([false, 0]);
    store.receive(job(2), []);
    // What is pending is learned before the job goes on tracking.
    store.receive(job(2, { kind: "learn" }), []);
    expect(store.following).toBe(false);
    store.receive(job(2), []);
    newMask(store, 1, 5);
    expect([store.following, store.frame]).toEqual([true, 1]);
    store.receive(job(2, { status: "done" }), []);
    newMask(store, 2, 6);
    expect([store.following, store.frame]).toEqual([false, 0]);
  });

  it("ends where it began, but stays where it was stopped or left", () => {
    const at = (end: Partial<Job>, leave = false) => {
      const store = new Store();
      store.receive(someState(), []);
      store.seek(40);
      store.receive(job(1), []);
      newMask(store, 41, 4);
      newMask(store, 42, 5);
      if (leave) store.stopFollowing();
      store.receive(job(1, end), []);
      return [store.frame, store.notice];
    };
    expect(at({ status: "done" })).toEqual([40, "Tracked to frame 42. Space plays it from here"]);
    expect(at({ status: "cancelled" })).toEqual([42, ""]);
    expect(at({ status: "interrupted" })).toEqual([42, ""]);
    expect(at({ status: "done" }, true)).toEqual([42, ""]);
  });

  it("drops the clicks that waited behind a cancelled job, but none when a click interrupted it", () => {
    const store = new Store();
    store.receive(someState(), []);
    store.receive(job(3), []);
    store.addPending(click);
    store.receive(job(3, { status: "interrupted" }), []);
    expect(store.pending).toHaveLength(1);
    store.receive(job(4, { status: "cancelled" }), []);
    expect(store.pending).toHaveLength(0);
  });
});

it("says who proposes", () => {
  const learned = { source: "adapter close-up", adapter_version: 2 };
  const frozen = { source: "frozen close-up", adapter_version: 0 };
  expect([learned, frozen].map(sourceOf)).toEqual(["adapter close-up v2", "frozen close-up"]);
});

it("stays within the video", () => {
  const store = new Store();
  store.receive(someState(), []);
  store.seek(500);
  expect(store.frame).toBe(99);
  store.seek(-3);
  expect(store.frame).toBe(0);
});

describe("the next action", () => {
  const prompted = [{ frame: 0, object: 1, painted: false, box: [], first: true }];
  const changed = (change: object) =>
    someState({ objects: someState().objects.map((each) => ({ ...each, ...change })), standing: prompted });
  it.each([
    ["click", someState(), 0, false],
    ["track", someState({ standing: prompted }), 0, false],
    ["track", someState({ objects: runs([0, 0, "prompted"]) }), 0, false],
    [null, changed({ locked: true }), 0, false],
    [null, changed({ hidden: true }), 0, false],
    [null, someState({ objects: runs([0, 9, "tracked"]) }), 0, false],
    ["learn", someState({ objects: runs([0, 9, "tracked"]), standing: prompted }), 0, false],
    [null, someState({ objects: runs([0, 9, "tracked"]), standing: prompted }), 5, false],
    ["accept", someState({ objects: runs([0, 9, "tracked"]), standing: prompted }), 0, true],
  ] as const)("is %s", (expected, state, frame, open) => {
    expect(nextAction(state, frame, 1, open)).toBe(expected);
  });
});

it("tracks from where a mask is", () => {
  const state = someState({ objects: runs([10, 20, "tracked"]) });
  expect(trackStart(state, 15, false)).toBe(15);
  expect(trackStart(state, 40, false)).toBe(20);
  expect(trackStart(state, 40, true)).toBe(10);
  expect(trackStart(state, 2, true)).toBe(10);
  expect(
    trackStart(
      someState({ standing: [{ frame: 0, object: 1, painted: true, box: [], first: true }] }),
      7,
      false,
    ),
  ).toBe(0);
});

it("invites to ask for a proposal where there can be one", () => {
  const learned = { object: 1, version: 1, learned_from: [3], losses: [], update_s: 1 };
  expect(hasProposals(someState(), 1)).toBe(false);
  expect(hasProposals(someState({ proposes_untaught: true }), 1)).toBe(true);
  expect(hasProposals(someState({ adapters: [learned] }), 1)).toBe(true);
  expect(hasProposals(someState({ adapters: [learned], learning: false }), 1)).toBe(false);
});
