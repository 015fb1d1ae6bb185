import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ToView, VIDEO } from "../src/messages";
import { type Channel, Transport } from "../src/transport";
import { bufferOf, FakeModel, someState } from "./fakes";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function connect(model: FakeModel) {
  const transport = new Transport(model as unknown as Channel, VIDEO);
  const got: { message: ToView; buffers: DataView[] }[] = [];
  const problems: string[] = [];
  transport.listen({
    message: (message, buffers) => got.push({ message, buffers }),
    link: () => {},
    problem: (text) => problems.push(text),
  });
  return { transport, got, problems };
}

const track = { type: "track", start: 0 } as const;
const job = { type: "job", id: 1, kind: "track", done: 1, total: 2, left_s: 1, note: "" };

describe("push", () => {
  it("delivers what comes and never polls", () => {
    const model = new FakeModel();
    const { transport, got } = connect(model);
    transport.hello();
    model.receive(someState());
    transport.send(track);
    model.receive({ ...job, status: "running" });
    vi.advanceTimersByTime(20_000);
    expect(got.map(({ message }) => message.type)).toEqual(["state", "job"]);
    expect(model.of("poll")).toHaveLength(0);
    expect(transport.link).toBe("connected");
  });

  it("says that it is not connected when hello gets no answer, and recovers", () => {
    const model = new FakeModel();
    const { transport } = connect(model);
    transport.hello();
    expect(transport.link).toBe("connecting");
    vi.advanceTimersByTime(4500);
    expect(transport.link).toBe("disconnected");
    model.receive(someState());
    expect(transport.link).toBe("connected");
  });

  it("asks again when the host says that the kernel went away or came back", () => {
    const model = new FakeModel();
    const { transport } = connect(model);
    transport.hello();
    model.receive(someState());
    model.emit("comm_live_update");
    expect(transport.link).toBe("connecting");
    vi.advanceTimersByTime(4500);
    expect(transport.link).toBe("disconnected");
    model.emit("comm_live_update");
    expect(model.of("hello")).toHaveLength(3);
    model.receive(someState());
    expect(transport.link).toBe("connected");
  });

  it("survives a channel that throws", () => {
    const model = new FakeModel();
    const { transport } = connect(model);
    model.receive(someState());
    model.send = () => {
      throw new Error("Cannot send");
    };
    transport.send(track);
    expect(transport.link).toBe("disconnected");
  });

  it("knows a model without a comm", () => {
    const model = Object.assign(new FakeModel(), { comm: undefined });
    const { transport } = connect(model);
    transport.hello();
    expect(transport.link).toBe("disconnected");
    expect(model.sent).toHaveLength(0);
  });
});

describe("poll", () => {
  it("starts when nothing is pushed within a second of an action", () => {
    const model = new FakeModel();
    const { transport } = connect(model);
    transport.hello();
    model.receive(someState());
    transport.send(track);
    vi.advanceTimersByTime(900);
    expect(model.of("poll")).toHaveLength(0);
    vi.advanceTimersByTime(200);
    expect(model.of("poll")).toHaveLength(1);
  });

  it("has one question open at a time", () => {
    const model = new FakeModel({ transport: "poll" });
    const { transport } = connect(model);
    transport.hello();
    transport.send(track);
    vi.advanceTimersByTime(2000);
    expect(model.of("poll")).toHaveLength(1);
    model.receive({ type: "batch", messages: [{ ...job, status: "running" }], n_buffers: [0] });
    vi.advanceTimersByTime(110);
    expect(model.of("poll")).toHaveLength(2);
  });

  it("asks seldom when nothing runs, and soon again after an action", () => {
    const model = new FakeModel({ transport: "poll" });
    const { transport } = connect(model);
    const answer = () => model.receive({ type: "batch", messages: [], n_buffers: [] });
    transport.hello();
    vi.advanceTimersByTime(2500);
    answer();
    vi.advanceTimersByTime(900);
    expect(model.of("poll")).toHaveLength(1);
    vi.advanceTimersByTime(200);
    expect(model.of("poll")).toHaveLength(2);
    answer();
    transport.send(track);
    vi.advanceTimersByTime(110);
    answer();
    vi.advanceTimersByTime(110);
    expect(model.of("poll")).toHaveLength(4);
  });

  it("gives every message of a batch its own buffers", () => {
    const model = new FakeModel({ transport: "poll" });
    const { transport, got } = connect(model);
    transport.hello();
    const frames = (indices: number[]) => ({ type: "frames", indices });
    model.receive(
      { type: "batch", messages: [frames([1, 2]), someState(), frames([7])], n_buffers: [2, 0, 1] },
      [bufferOf(1), bufferOf(2), bufferOf(7)],
    );
    expect(got.map(({ buffers }) => buffers.map((view) => view.getUint8(0)))).toEqual([[1, 2], [], [7]]);
  });

  it("goes back to push once something is pushed", () => {
    const model = new FakeModel();
    const { transport } = connect(model);
    transport.hello();
    vi.advanceTimersByTime(1100);
    expect(transport.polling).toBe(true);
    model.receive(someState());
    expect(transport.polling).toBe(false);
    expect(model.of("hello")).toHaveLength(2);
  });

  it("goes back to push when the answer had to wait for a cell, which says nothing about the host", () => {
    const model = new FakeModel();
    const { transport } = connect(model);
    transport.hello();
    model.receive(someState());
    transport.send(track);
    vi.advanceTimersByTime(20_000);
    expect(transport.link).toBe("disconnected");
    model.receive({ type: "batch", messages: [{ ...job, status: "running" }], n_buffers: [0] });
    expect([transport.link, transport.polling]).toEqual(["connected", false]);
    expect(model.of("hello")).toHaveLength(2);
  });

  it("keeps asking where an answer comes soon and nothing is pushed", () => {
    const model = new FakeModel();
    const { transport } = connect(model);
    transport.hello();
    model.receive(someState());
    transport.send(track);
    vi.advanceTimersByTime(1100);
    model.receive({ type: "batch", messages: [], n_buffers: [] });
    expect(transport.polling).toBe(true);
    expect(model.of("hello")).toHaveLength(1);
  });
});

describe("what is not ours", () => {
  it.each([
    [{ type: "nonsense" }],
    [{ type: "__proto__" }],
    [null],
    [{ ...someState(), active_object: 1.5 }],
    [{ type: "frames", indices: [1] }],
    [{ ...job, status: "running", left_s: Number.NaN }],
  ])("is reported and dropped: %j", (content) => {
    const model = new FakeModel();
    const { got, problems } = connect(model);
    model.receive(content);
    expect(got).toHaveLength(0);
    expect(problems).toHaveLength(1);
  });

  it("does not hold up the rest of a batch", () => {
    const model = new FakeModel({ transport: "poll" });
    const { got, problems } = connect(model);
    model.receive({ type: "batch", messages: [{ type: "nonsense" }, someState()], n_buffers: [0, 0] });
    expect([got.length, problems.length]).toEqual([1, 1]);
  });
});

it("leaves no listener and no timer behind", () => {
  const model = new FakeModel({ transport: "poll" });
  const { transport } = connect(model);
  transport.hello();
  transport.close();
  expect(model.listeners).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});
