// The line to the kernel. Messages are pushed where the host lets them through; where it drops what
// comes from a thread, the view asks for them instead, one question at a time.

import type { encode, ToView } from "./messages";
import { type Batch, type Message, MessageError, type Wire } from "./wire";

export type Link = "connecting" | "connected" | "disconnected";

export interface Listener<In = ToView> {
  message(message: In, buffers: DataView[]): void;
  link(link: Link): void;
  problem(text: string): void;
}

/** The second is how a host tells that the kernel went away or came back. */
type ChannelEvent = "msg:custom" | "comm_live_update";

/** What the transport needs of an anywidget model. */
export interface Channel {
  /** Not every host shows it; where it is shown and empty, there is no kernel. */
  comm?: unknown;
  get(name: "transport"): unknown;
  on(event: ChannelEvent, callback: (content: unknown, buffers: DataView[]) => void): void;
  off(event: ChannelEvent, callback: (content: unknown, buffers: DataView[]) => void): void;
  send(content: unknown, callbacks?: undefined, buffers?: ArrayBuffer[]): void;
}

const PUSH_WITHIN_MS = 1000;
const HELLO_WITHIN_MS = 4000;
const POLL_BUSY_MS = 100;
const POLL_IDLE_MS = 1000;
const POLL_LATE_MS = 2000;
const POLL_LOST_MS = 5000;
const BUSY_MS = 2000;

/** What all protocols have for the line itself. */
type Plain = { type: "hello"; protocol: number } | { type: "poll" };

export class Transport<Out extends Message = Parameters<typeof encode>[0], In extends Message = ToView> {
  link: Link = "connecting";
  polling = false;
  #listeners = new Set<Listener<In>>();
  #pushTimer: Timer;
  #helloTimer: Timer;
  #pollTimer: Timer;
  /** A job runs in the kernel. */
  #running = false;
  /** Until then an answer is expected soon: ask often. */
  #busyUntil = 0;
  /** A poll has not been answered yet. */
  #outstanding = false;
  #askedAt = 0;
  #closed = false;

  constructor(
    private readonly channel: Channel,
    private readonly wire: Wire<Out, In>,
  ) {
    channel.on("msg:custom", this.#onMessage);
    channel.on("comm_live_update", this.#onLife);
  }

  listen(listener: Listener<In>): () => void {
    this.#listeners.add(listener);
    listener.link(this.link);
    return () => this.#listeners.delete(listener);
  }

  /** A view has opened: ask for the whole state. */
  hello(): void {
    this.send({ type: "hello", protocol: this.wire.version });
    if (this.channel.get("transport") === "poll") this.#startPolling();
    if (this.link === "connected") return;
    clearTimeout(this.#helloTimer);
    this.#helloTimer = setTimeout(() => this.#setLink("disconnected"), HELLO_WITHIN_MS);
  }

  send(message: Out | Plain, buffers: ArrayBuffer[] = []): void {
    if (this.#closed) return;
    // A model restored from a saved notebook has an empty comm and swallows what is sent.
    if ("comm" in this.channel && !this.channel.comm) {
      this.#setLink("disconnected");
      return;
    }
    if (!this.#sent(message, buffers)) return;
    if (!this.wire.answered.has(message.type)) return;
    this.#busyUntil = Date.now() + BUSY_MS;
    if (this.polling) this.#pollIn(POLL_BUSY_MS);
    else this.#pushTimer ??= setTimeout(() => this.#startPolling(), PUSH_WITHIN_MS);
  }

  /** A channel whose kernel was restarted throws. */
  #sent(message: Out | Plain, buffers: ArrayBuffer[] = []): boolean {
    try {
      const content = this.wire.encode(message as Out);
      if (buffers.length > 0) this.channel.send(content, undefined, buffers);
      else this.channel.send(content);
      return true;
    } catch {
      this.#setLink("disconnected");
      return false;
    }
  }

  #onLife = (): void => {
    this.#setLink("connecting");
    this.hello();
  };

  close(): void {
    this.#closed = true;
    this.channel.off("msg:custom", this.#onMessage);
    this.channel.off("comm_live_update", this.#onLife);
    this.#listeners.clear();
    for (const timer of [this.#pushTimer, this.#helloTimer, this.#pollTimer]) clearTimeout(timer);
  }

  #onMessage = (content: unknown, buffers: DataView[] = []): void => {
    this.#disarm();
    this.#setLink("connected");
    this.#guard(() => {
      const message = this.#read(content, buffers);
      if (message.type === "batch") {
        const batch = message as unknown as Batch;
        this.#unpack(batch.messages, batch.n_buffers, buffers);
        if (this.#late) this.#backToPush();
        else if (this.polling) this.#pollIn(this.#busy ? POLL_BUSY_MS : POLL_IDLE_MS, true);
      } else {
        if (this.#suspecting) this.#backToPush();
        this.#deliver(message, buffers);
      }
    });
  };

  #unpack(messages: unknown[], counts: number[], buffers: DataView[]): void {
    let at = 0;
    messages.forEach((content, i) => {
      const own = buffers.slice(at, at + (counts[i] ?? 0));
      at += own.length;
      this.#guard(() => this.#deliver(this.#read(content, own), own));
    });
  }

  #deliver(message: In, buffers: DataView[]): void {
    if ("status" in message) this.#running = message.status === "running";
    for (const listener of this.#listeners) listener.message(message, buffers);
  }

  #read(content: unknown, buffers: DataView[]): In {
    const message = this.wire.parse(content);
    const expected = this.wire.buffersOf(message);
    if (expected !== buffers.length) {
      throw new MessageError(`message ${message.type}: expected ${expected} buffers, got ${buffers.length}`);
    }
    return message;
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      for (const listener of this.#listeners) listener.problem(error.message);
    }
  }

  get #busy(): boolean {
    return this.#running || Date.now() < this.#busyUntil;
  }

  #disarm(): void {
    clearTimeout(this.#pushTimer);
    clearTimeout(this.#helloTimer);
    this.#pushTimer = undefined;
  }

  #setLink(link: Link): void {
    if (this.link === link) return;
    this.link = link;
    for (const listener of this.#listeners) listener.link(link);
  }

  #startPolling(): void {
    clearTimeout(this.#pushTimer);
    this.#pushTimer = undefined;
    if (this.polling || this.#closed) return;
    this.polling = true;
    this.#poll();
  }

  /** Polling because nothing was pushed, and not because the host is known to need it. */
  get #suspecting(): boolean {
    return this.polling && this.channel.get("transport") !== "poll";
  }

  /** The kernel did nothing for so long that nothing can be said about what it pushes: a cell was running. */
  get #late(): boolean {
    return this.#suspecting && Date.now() - this.#askedAt > POLL_LATE_MS;
  }

  /** The kernel pushes again once a view says hello. */
  #backToPush(): void {
    this.polling = false;
    this.#outstanding = false;
    clearTimeout(this.#pollTimer);
    this.hello();
  }

  #poll(): void {
    if (!this.#outstanding) this.#askedAt = Date.now();
    this.#outstanding = true;
    this.#sent({ type: "poll" });
    clearTimeout(this.#pollTimer);
    // An answer that stays away this long is lost or waits behind a running cell: say so, and ask again.
    this.#pollTimer = setTimeout(() => {
      this.#setLink("disconnected");
      this.#poll();
    }, POLL_LOST_MS);
  }

  #pollIn(delay: number, answered = false): void {
    if (answered) this.#outstanding = false;
    if (this.#outstanding) return;
    clearTimeout(this.#pollTimer);
    this.#pollTimer = setTimeout(() => this.#poll(), delay);
  }
}

type Timer = ReturnType<typeof setTimeout> | undefined;
