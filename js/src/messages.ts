// Every message between the view and the kernel; the mirror of `messages.py` and `to_view.py` in `lit_widget/widget/`.
// Names on the wire are those of the Python fields. Buffers travel beside a message.

import {
  anything,
  type Batch,
  bool,
  type Check,
  int,
  type KernelError,
  list,
  num,
  oneOf,
  record,
  str,
  tuple,
  wire,
} from "./wire";

export const PROTOCOL = 6;

// --- View to kernel ---------------------------------------------------------------------------

export interface Click {
  type: "click";
  frame: number;
  object: number;
  x: number;
  y: number;
  positive: boolean;
}

/** What would a click here give? */
export interface Preview extends Omit<Click, "type"> {
  type: "preview";
}

export interface Box {
  type: "box";
  frame: number;
  object: number;
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

export interface RemovePrompt {
  type: "removePrompt";
  frame: number;
  object: number;
  /** Among the prompts of the object on the frame. */
  index: number;
}

export interface Track {
  type: "track";
  start: number;
  reverse: boolean;
  stop: number | null;
}

export interface Accept {
  type: "accept";
  candidate: number;
}

export interface SetRange {
  type: "setRange";
  first: number | null;
  last: number | null;
}

export interface EditObject {
  type: "editObject";
  object: number;
  name: string | null;
  colour: string | null;
  hidden: boolean | null;
  locked: boolean | null;
}

interface OnFrame<T extends string> {
  type: T;
  frame: number;
  object: number;
}

interface Request<T extends string> {
  type: T;
  indices: number[];
}

export type ToKernel =
  | { type: "hello"; protocol: number }
  | Request<"requestFrames">
  | Request<"requestMasks">
  | Click
  | Preview
  | Box
  | RemovePrompt
  | OnFrame<"giveMask">
  | Track
  | OnFrame<"clearPrompts">
  | OnFrame<"learn">
  | OnFrame<"flag">
  | OnFrame<"forget">
  | { type: "choose" | "deleteObject"; object: number }
  | EditObject
  | SetRange
  | { type: "setLearning"; on: boolean }
  | Accept
  | { type: "poll" | "addObject" | "reject" | "cancel" | "interrupt" | "undo" | "redo" };

const DEFAULTS: { [type: string]: object } = {
  track: { reverse: false, stop: null },
  accept: { candidate: 0 },
  editObject: { name: null, colour: null, hidden: null, locked: null },
};

type Given<M> = M extends Track
  ? Pick<Track, "type" | "start"> & Partial<Track>
  : M extends Accept
    ? Pick<Accept, "type"> & Partial<Accept>
    : M extends EditObject
      ? Pick<EditObject, "type" | "object"> & Partial<EditObject>
      : M;

/** The wire form of a message: every field of the protocol is present, left-out ones at their default. */
export function encode(message: Given<ToKernel>): ToKernel {
  const { type, ...fields } = message;
  return { type, ...DEFAULTS[type], ...fields } as ToKernel;
}

// --- Kernel to view ---------------------------------------------------------------------------

const FRAME_STATUS = ["prompted", "tracked", "corrected", "accepted"] as const;
const JOB_KIND = ["predict", "track", "learn", "propose"] as const;
const JOB_STATUS = ["running", "done", "cancelled", "interrupted", "failed"] as const;

export type FrameStatus = (typeof FRAME_STATUS)[number];
export type JobKind = (typeof JOB_KIND)[number];
export type JobStatus = (typeof JOB_STATUS)[number];
export type Run = [first: number, last: number, status: FrameStatus];

export interface VideoInfo {
  name: string;
  n_frames: number;
  height: number;
  width: number;
  fps: number;
}

export interface Prompt {
  frame: number;
  object: number;
  x: number;
  y: number;
  positive: boolean;
}

/** What stands on a frame until it is learned or taken back. */
export interface Standing {
  frame: number;
  object: number;
  painted: boolean;
  /** Corners x0, y0, x1, y1, or nothing. */
  box: number[];
  first: boolean;
}

export interface AdapterInfo {
  object: number;
  version: number;
  learned_from: number[];
  losses: number[];
  update_s: number;
}

export interface ObjectInfo {
  id: number;
  name: string;
  colour: string;
  runs: Run[];
  hidden: boolean;
  locked: boolean;
  /** Runs of frames whose masks the latest work made other than they were. */
  changed: [first: number, last: number][];
}

/** Megabytes of encoded frames and masks. */
export interface MemoryInfo {
  used: number;
  most: number;
  file: number;
}

export interface State {
  type: "state";
  protocol: number;
  model: string;
  video: VideoInfo;
  objects: ObjectInfo[];
  adapters: AdapterInfo[];
  standing: Standing[];
  prompts: Prompt[];
  palette: [name: string, colour: string][];
  learning: boolean;
  /** First and last frame to track, or nothing. */
  range: number[];
  active_object: number;
  /** The strategy can propose at all. */
  proposes: boolean;
  proposes_untaught: boolean;
  /** What was learned is told. */
  panel: boolean;
  /** The work is in a session file. */
  saved: boolean;
  can_undo: boolean;
  can_redo: boolean;
  n_corrections: number;
  n_accepted: number;
  saved_s: number;
  memory: MemoryInfo;
  /** The device is fast enough to show what a click would give. */
  previews: boolean;
}

export interface Frames {
  type: "frames";
  indices: number[];
}

export interface MaskInfo {
  frame: number;
  object: number;
  version: number;
  status: FrameStatus;
}

export interface Masks {
  type: "masks";
  items: MaskInfo[];
  forget: [frame: number, object: number][];
}

/** The mask that a click would give. */
export interface PreviewMask extends Prompt {
  type: "previewMask";
}

/** How sure the masks of these objects are: a byte per frame, percent or 255 without a mask. */
export interface ConfidenceStrips {
  type: "confidenceStrips";
  objects: number[];
}

export interface Job {
  type: "job";
  id: number;
  kind: JobKind;
  status: JobStatus;
  done: number;
  total: number;
  left_s: number;
  note: string;
}

/** Where a proposed mask comes from. */
export interface Candidate {
  source: string;
  adapter_version: number;
  learned_from: number[];
}

export interface ProposalInfo {
  type: "proposalInfo";
  frame: number;
  object: number;
  candidates: Candidate[];
}

export type ToView =
  | State
  | Frames
  | Masks
  | PreviewMask
  | ConfidenceStrips
  | Job
  | ProposalInfo
  | KernelError
  | Batch;

const video = record<VideoInfo>({ name: str, n_frames: int, height: int, width: int, fps: num });
const prompt = record<Prompt>({ frame: int, object: int, x: num, y: num, positive: bool });
const standing = record<Standing>({ frame: int, object: int, painted: bool, box: list(num), first: bool });
const run = tuple<Run>(int, int, oneOf(...FRAME_STATUS));
const object = record<ObjectInfo>({
  id: int,
  name: str,
  colour: str,
  runs: list(run),
  hidden: bool,
  locked: bool,
  changed: list(tuple(int, int)),
});
const adapter = record<AdapterInfo>({
  object: int,
  version: int,
  learned_from: list(int),
  losses: list(num),
  update_s: num,
});
const mask = record<MaskInfo>({ frame: int, object: int, version: int, status: oneOf(...FRAME_STATUS) });
const candidate = record<Candidate>({ source: str, adapter_version: int, learned_from: list(int) });

const SHAPES: { [M in ToView as M["type"]]: Check<M> } = {
  state: record<State>({
    type: oneOf("state"),
    protocol: int,
    model: str,
    video,
    objects: list(object),
    adapters: list(adapter),
    standing: list(standing),
    prompts: list(prompt),
    palette: list(tuple(str, str)),
    learning: bool,
    range: list(int),
    active_object: int,
    proposes: bool,
    proposes_untaught: bool,
    panel: bool,
    saved: bool,
    can_undo: bool,
    can_redo: bool,
    n_corrections: int,
    n_accepted: int,
    saved_s: num,
    memory: record<MemoryInfo>({ used: int, most: int, file: int }),
    previews: bool,
  }),
  frames: record<Frames>({ type: oneOf("frames"), indices: list(int) }),
  masks: record<Masks>({ type: oneOf("masks"), items: list(mask), forget: list(tuple(int, int)) }),
  previewMask: record<PreviewMask>({
    type: oneOf("previewMask"),
    frame: int,
    object: int,
    x: num,
    y: num,
    positive: bool,
  }),
  confidenceStrips: record<ConfidenceStrips>({ type: oneOf("confidenceStrips"), objects: list(int) }),
  job: record<Job>({
    type: oneOf("job"),
    id: int,
    kind: oneOf(...JOB_KIND),
    status: oneOf(...JOB_STATUS),
    done: int,
    total: int,
    left_s: num,
    note: str,
  }),
  proposalInfo: record<ProposalInfo>({
    type: oneOf("proposalInfo"),
    frame: int,
    object: int,
    candidates: list(candidate),
  }),
  error: record<KernelError>({ type: oneOf("error"), message: str }),
  batch: record<Batch>({ type: oneOf("batch"), messages: list(anything), n_buffers: list(int) }),
};

/** How many buffers belong to a message. */
export function buffersOf(message: ToView): number {
  switch (message.type) {
    case "frames":
      return message.indices.length;
    case "masks":
      return message.items.length;
    case "previewMask":
      return 1;
    case "confidenceStrips":
      return message.objects.length;
    case "proposalInfo":
      return message.candidates.length;
    case "batch":
      return message.n_buffers.reduce((sum, count) => sum + count, 0);
    default:
      return 0;
  }
}

const ANSWERED: ReadonlySet<ToKernel["type"]> = new Set([
  "hello",
  "requestFrames",
  "requestMasks",
  "click",
  "box",
  "giveMask",
  "removePrompt",
  "track",
  "setRange",
  "setLearning",
  "learn",
  "flag",
  "accept",
  "undo",
  "redo",
  "forget",
  "addObject",
  "choose",
  "editObject",
  "deleteObject",
]);

/** The video's protocol, for the line to the kernel. */
export const VIDEO = wire<Given<ToKernel>, ToView>(PROTOCOL, ANSWERED, encode, SHAPES, buffersOf);
export const { parse } = VIDEO;
