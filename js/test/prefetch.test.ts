import { describe, expect, it } from "vitest";
import { CHUNK, CHUNK_FIRST, Prefetch, wanted } from "../src/prefetch";
import { Store } from "../src/store";
import { bufferOf, someState } from "./fakes";

type Sent = { type: string; indices: number[] };

function setUp(change: Parameters<typeof someState>[0] = {}) {
  const clock = { now: 0 };
  const sent: Sent[] = [];
  const store = new Store();
  store.set({ link: "connected" });
  store.receive(someState(change), []);
  const transport = { send: (message: object) => sent.push(message as Sent) };
  const prefetch = new Prefetch(store, transport as never, () => clock.now);
  const give = (indices: number[]) => {
    store.receive(
      { type: "frames", indices },
      indices.map(() => bufferOf(1)),
    );
  };
  return { clock, sent, store, prefetch, give };
}

it("wants the playhead first, then what follows, then what came before", () => {
  expect(wanted(2, 6)).toEqual([2, 3, 4, 5, 1, 0]);
  expect(wanted(0, 0)).toEqual([]);
});

describe("frames", () => {
  it("are asked for in chunks, the missing one first, and only once", () => {
    const { sent, prefetch } = setUp();
    prefetch.update();
    prefetch.update();
    prefetch.update();
    expect(sent.map(({ indices }) => indices.length)).toEqual([CHUNK_FIRST, CHUNK]);
    expect(sent[0]?.indices[0]).toBe(0);
    expect(new Set(sent.flatMap(({ indices }) => indices)).size).toBe(CHUNK_FIRST + CHUNK);
  });

  it("leave room for the next place while the user scrubs", () => {
    const { sent, store, prefetch } = setUp();
    prefetch.update();
    store.seek(50);
    prefetch.update();
    expect(sent[1]?.indices[0]).toBe(50);
  });

  it("are asked for again when the answer is lost", () => {
    const { clock, sent, prefetch } = setUp();
    prefetch.update();
    clock.now = 7000;
    prefetch.update();
    expect(sent[1]?.indices).toEqual(sent[0]?.indices);
  });

  it("at the far end wait for company during playback", () => {
    const { sent, store, prefetch, give } = setUp();
    give(Array.from({ length: 64 }, (_, i) => i));
    store.seek(1);
    prefetch.update();
    expect(sent).toHaveLength(0);
    store.seek(8);
    prefetch.update();
    expect(sent[0]?.indices).toHaveLength(8);
  });
});

it("masks are asked for where an object has one and the frame is there", () => {
  const objects = [{ id: 1, name: "rider", colour: "#e69f00", runs: [[2, 40, "tracked"]] }];
  const { sent, store, prefetch, give } = setUp({ objects: objects as never });
  give([0, 1, 2, 3, 4, 5]);
  const mask = { frame: 3, object: 1, version: 1, status: "tracked" as const };
  store.receive({ type: "masks", items: [mask], forget: [] }, [bufferOf(1)]);
  prefetch.update();
  expect(sent.filter(({ type }) => type === "requestMasks").map(({ indices }) => indices)).toEqual([
    [2, 4, 5],
  ]);
});
