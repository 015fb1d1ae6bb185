// The state of one view: what the kernel said, what the user looks at, and what is on its way.

import { FrameCache, MaskCache } from "./caches";
import { bytesOf } from "./codec";
import { clamp, type Point } from "./geometry";
import type { Candidate, Job, Masks, ObjectInfo, Prompt, ProposalInfo, State, ToView } from "./messages";
import { objectOf } from "./rules";
import type { ToolName } from "./tools/tool";
import type { Link } from "./transport";

export interface ProposedMask extends Candidate {
  bytes: Uint8Array<ArrayBuffer>;
}

export interface Proposal {
  frame: number;
  object: number;
  candidates: ProposedMask[];
  /** Which candidate the picture shows and a verdict means. */
  picked: number;
  /** The user has given the verdict; the kernel has not closed it yet. */
  judged: boolean;
}

/** What a click under the pointer would give. */
export interface Hovered extends Prompt {
  bytes: Uint8Array<ArrayBuffer>;
}

/** What the mouse draws right now; points in video pixels. */
export interface Drawing {
  frame: number;
  object: number;
  points: Point[];
  kind: "brush" | "eraser" | "lasso" | "cut" | "box";
  /** Of the brush, in video pixels. */
  radius: number;
  /** The points are corners, clicked one by one, and more may come. */
  corners?: boolean;
}

export class Store {
  state: State | null = null;
  link: Link = "connecting";
  frame = 0;
  active = 0;
  playing = false;
  looping = false;
  /** Of playback; 1 is the video's own. */
  speed = 1;
  /** How sure the masks of each object are: percent by frame. */
  confidence = new Map<number, Uint8Array>();
  job: Job | null = null;
  proposal: Proposal | null = null;
  holdBase = false;
  error = "";
  /** Why what the user just asked for was not done; gone with the next thing that happens. */
  notice = "";
  /** The object whose name and look are being changed. */
  editing: number | null = null;
  help = false;
  /** Esc gave the keys back to the notebook. */
  away = false;
  /** The frame under the pointer on the time line. */
  peek: number | null = null;
  /** The widget fills the window. */
  full = false;
  /** How often something was asked for that takes a kernel while there was none. */
  refused = 0;
  /** Clicks that the kernel has not confirmed yet. */
  pending: Prompt[] = [];
  tool: ToolName = "point";
  /** Radius of brush and eraser in video pixels. */
  brush = 8;
  drawing: Drawing | null = null;
  /** The click under the pointer whose mask was asked for, and the mask once it has come. */
  asked: Prompt | null = null;
  hover: Hovered | null = null;
  readonly frames = new FrameCache();
  readonly masks = new MaskCache();
  #subscribers = new Set<() => void>();
  /** The job during which the user moved the playhead, and the newest mask that has come. */
  #left = -1;
  #led: number | undefined;
  /** Where the user was when the tracking began. */
  #home = 0;
  #newest = 0;
  /** Where the user was when the latest job ended. */
  #ended = { frame: -1, object: -1 };

  subscribe(callback: () => void): () => void {
    this.#subscribers.add(callback);
    return () => this.#subscribers.delete(callback);
  }

  notify(): void {
    for (const callback of this.#subscribers) callback();
  }

  set(
    change: Partial<
      Pick<
        Store,
        | "active"
        | "playing"
        | "holdBase"
        | "error"
        | "notice"
        | "editing"
        | "help"
        | "away"
        | "link"
        | "tool"
        | "brush"
        | "drawing"
        | "looping"
        | "full"
        | "refused"
        | "speed"
      >
    >,
  ): void {
    Object.assign(this, change);
    this.notify();
  }

  get nFrames(): number {
    return this.state?.video.n_frames ?? 0;
  }

  get running(): boolean {
    return this.job?.status === "running";
  }

  /** The playhead goes with the tracking until the user moves it. */
  get following(): boolean {
    return this.running && this.job?.kind === "track" && this.job.id !== this.#left;
  }

  /** The playhead is the user's again, as long as this job runs. */
  stopFollowing(): void {
    if (this.job && this.running) this.#left = this.job.id;
  }

  /** Whether what the latest job said is still about what the user looks at. */
  get toldHere(): boolean {
    return this.#ended.frame === this.frame && this.#ended.object === this.active;
  }

  /** The proposal that awaits a verdict. */
  get open(): Proposal | null {
    return this.proposal && !this.proposal.judged ? this.proposal : null;
  }

  /** The candidate that is picked. */
  get proposed(): ProposedMask | null {
    return this.proposal?.candidates[this.proposal.picked] ?? null;
  }

  /** Show a frame; says whether it is another one than before. */
  seek(frame: number): boolean {
    const to = this.nFrames > 0 ? clamp(Math.round(frame), 0, this.nFrames - 1) : Math.max(0, frame);
    if (to === this.frame) return false;
    this.frame = to;
    this.notice = "";
    this.notify();
    return true;
  }

  receive(message: ToView, buffers: DataView[]): void {
    switch (message.type) {
      case "state":
        this.#receiveState(message);
        break;
      case "frames":
        message.indices.forEach((index, i) => {
          this.frames.put(index, buffers[i] as DataView);
        });
        break;
      case "masks":
        this.#receiveMasks(message, buffers);
        break;
      case "previewMask":
        if (this.asked && samePlace(this.asked, message)) {
          this.hover = { ...message, bytes: bytesOf(buffers[0] as DataView) };
        }
        break;
      case "confidenceStrips":
        this.confidence = new Map(message.objects.map((id, i) => [id, bytesOf(buffers[i] as DataView)]));
        break;
      case "job":
        this.#receiveJob(message);
        break;
      case "proposalInfo":
        this.#receiveProposal(message, buffers);
        break;
      case "error":
        this.error = message.message;
        this.dropWaiting();
        if (this.proposal) this.proposal.judged = false;
        break;
    }
    this.notify();
  }

  /** Change what is known of an object before the kernel says so. */
  amend(id: number, change: Partial<ObjectInfo>): void {
    if (!this.state) return;
    const objects = this.state.objects.map((each) => (each.id === id ? { ...each, ...change } : each));
    this.state = { ...this.state, objects };
    this.notify();
  }

  setPeek(frame: number | null): void {
    if (frame === this.peek) return;
    this.peek = frame;
    this.notify();
  }

  /** The pointer is no longer where a mask was asked for. */
  dropHover(): void {
    this.asked = null;
    if (!this.hover) return;
    this.hover = null;
    this.notify();
  }

  addPending(prompt: Prompt): void {
    this.pending = [...this.pending, prompt];
    this.notify();
  }

  /** Whether there is a step to take back, be it one that the kernel has not answered yet. */
  get canUndo(): boolean {
    return this.pending.length > 0 || this.masks.hasDrafts || (this.online && this.state?.can_undo) || false;
  }

  /** Whether the kernel may be there. */
  get online(): boolean {
    return this.link !== "disconnected";
  }

  /** Stop showing the newest click that the kernel has not confirmed. */
  dropNewest(): void {
    this.pending = this.pending.slice(0, -1);
    this.notify();
  }

  dropPending(frame: number, object: number): void {
    this.pending = this.pending.filter((click) => click.frame !== frame || click.object !== object);
    this.notify();
  }

  /** The prompts to show on a frame, the unconfirmed ones included. */
  markers(frame: number): (Prompt & { sent: boolean })[] {
    const known = this.state?.prompts.map((prompt) => ({ ...prompt, sent: true })) ?? [];
    const waiting = this.pending.map((prompt) => ({ ...prompt, sent: false }));
    return [...known, ...waiting].filter((prompt) => prompt.frame === frame);
  }

  #receiveState(state: State): void {
    const before = this.state;
    if (before && JSON.stringify(before.video) !== JSON.stringify(state.video)) {
      this.frames.clear();
      this.masks.clear();
      this.proposal = null;
    }
    const known = state.objects.some((object) => object.id === this.active);
    if (!known || before?.active_object !== state.active_object) this.active = state.active_object;
    this.state = state;
    if (!objectOf(state, this.editing ?? -1)) this.editing = null;
    this.frame = clamp(this.frame, 0, Math.max(0, state.video.n_frames - 1));
    // However long the kernel takes: a click stays in sight until it is answered.
    this.pending = this.pending.filter((click) => !confirmed(click, state.prompts));
  }

  #receiveJob(job: Job): void {
    const followed = this.following && job.id === this.#led;
    this.job = job;
    if (job.status === "running") return;
    this.notice = "";
    // Back to where the tracking began, from where what it made is played.
    if (followed && job.status === "done" && this.frame !== this.#home) {
      const told = job.note ? `, ${job.note}` : "";
      this.notice = `Tracked to frame ${this.frame}${told}. Space plays it from here`;
      this.frame = this.#home;
    }
    this.#ended = { frame: this.frame, object: this.active };
    // What waits behind a cancelled job is dropped with it.
    if (job.status === "cancelled") this.dropWaiting();
  }

  /** Stop showing what the kernel has not answered and will not. */
  dropWaiting(): void {
    this.pending = [];
    this.masks.dropDrafts();
  }

  #receiveMasks(message: Masks, buffers: DataView[]): void {
    for (const [frame, object] of message.forget) this.masks.forget(frame, object);
    message.items.forEach((info, i) => {
      const known = this.masks.has(info.frame, info.object);
      const newer = this.masks.put(info, buffers[i] as DataView);
      // A mask that was only asked for is no answer to the click.
      if (known && newer && info.frame === this.hover?.frame && info.object === this.hover.object)
        this.hover = null;
      // Masks that were asked for come the same way; only what tracking has just made is newer than all others.
      if (info.version <= this.#newest) return;
      this.#newest = info.version;
      if (this.following) this.#follow(info.frame);
    });
  }

  /** Go with the tracking, but only if it began where the user looks. */
  #follow(frame: number): void {
    const begins = this.job?.id !== this.#led;
    this.#led = this.job?.id;
    if (begins) this.#home = this.frame;
    if (begins && Math.abs(frame - this.frame) > 1) this.stopFollowing();
    else this.frame = clamp(frame, 0, Math.max(0, this.nFrames - 1));
  }

  #receiveProposal(info: ProposalInfo, buffers: DataView[]): void {
    this.holdBase = false;
    if (info.frame < 0) {
      this.proposal = null;
      return;
    }
    const candidates = info.candidates.map((candidate, i) => ({
      ...candidate,
      bytes: bytesOf(buffers[i] as DataView),
    }));
    this.proposal = { frame: info.frame, object: info.object, candidates, picked: 0, judged: false };
    this.active = info.object;
    this.playing = false;
    this.frame = clamp(info.frame, 0, Math.max(0, this.nFrames - 1));
  }
}

const samePlace = (one: Prompt, other: Prompt): boolean =>
  one.frame === other.frame && one.object === other.object && one.x === other.x && one.y === other.y;

const confirmed = (click: Prompt, prompts: Prompt[]): boolean =>
  prompts.some(
    (prompt) =>
      prompt.frame === click.frame &&
      prompt.object === click.object &&
      prompt.positive === click.positive &&
      Math.hypot(prompt.x - click.x, prompt.y - click.y) < 1,
  );
