// Every message between the gallery and the kernel; the mirror of `messages.py` and `to_view.py` in
// `lit_widget/widget/gallery/`. Names on the wire are those of the Python fields. Buffers travel beside a message.

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
  wire,
} from "../wire";

export const PROTOCOL = 1;

// --- View to kernel ---------------------------------------------------------------------------

export type ToKernel =
  | { type: "hello"; protocol: number }
  | { type: "requestPictures"; images: number[]; large: boolean }
  | { type: "label"; image: number; label: number }
  | { type: "setFlag"; image: number; on: boolean }
  | { type: "skip" | "show" | "unlearn"; image: number }
  | { type: "showGroup"; group: number }
  | { type: "setLearning"; on: boolean }
  | { type: "poll" | "look" | "cancel" | "undo" | "redo" };

// --- Kernel to view ---------------------------------------------------------------------------

const VERDICT = ["open", "confirmed", "accepted", "corrected", "skipped"] as const;
const LOOKING = ["waiting", "running", "stopped", "done"] as const;
const JOB_STATUS = ["running", "done", "cancelled", "interrupted", "failed"] as const;

export type Verdict = (typeof VERDICT)[number];

/** An image of the group: what was said of it so far; `label` -1 means none. */
export interface Tile {
  image: number;
  name: string;
  verdict: Verdict;
  label: number;
  flagged: boolean;
}

export interface Group {
  group: number;
  n_images: number;
  n_done: number;
  version: number;
}

export interface GroupAdapter {
  version: number;
  learned_from: number[];
  labels: number[];
  losses: number[];
  update_s: number;
}

export interface GalleryState {
  type: "galleryState";
  protocol: number;
  model: string;
  title: string;
  n_images: number;
  image: number;
  group: number;
  place: number;
  tiles: Tile[];
  groups: Group[];
  adapter: GroupAdapter;
  top: number;
  learning: boolean;
  n_confirmed: number;
  n_accepted: number;
  n_corrected: number;
  n_skipped: number;
  n_flagged: number;
  can_undo: boolean;
  can_redo: boolean;
}

export interface Classes {
  type: "classes";
  names: string[];
}

/** In percent; `adapter` -1 without one. */
export interface Guess {
  label: number;
  base: number;
  adapter: number;
  /** Among the first guesses of either: giving it teaches nothing. */
  known: boolean;
}

export interface Card {
  image: number;
  group: number;
  version: number;
  base: number;
  adapter: number;
  guesses: Guess[];
}

export interface Cards {
  type: "cards";
  cards: Card[];
}

export interface LookReport {
  type: "lookReport";
  status: (typeof LOOKING)[number];
  n_done: number;
  n_images: number;
  n_unreadable: number;
  left_s: number;
  problems: string[];
}

export interface PictureBytes {
  type: "pictureBytes";
  images: number[];
  large: boolean;
}

export interface Job {
  type: "job";
  id: number;
  kind: string;
  status: (typeof JOB_STATUS)[number];
  done: number;
  total: number;
  left_s: number;
  note: string;
}

export type ToGallery =
  | GalleryState
  | Classes
  | Cards
  | LookReport
  | PictureBytes
  | Job
  | KernelError
  | Batch;

const tile = record<Tile>({ image: int, name: str, verdict: oneOf(...VERDICT), label: int, flagged: bool });
const group = record<Group>({ group: int, n_images: int, n_done: int, version: int });
const adapter = record<GroupAdapter>({
  version: int,
  learned_from: list(int),
  labels: list(int),
  losses: list(num),
  update_s: num,
});
const guess = record<Guess>({ label: int, base: num, adapter: num, known: bool });
const card = record<Card>({
  image: int,
  group: int,
  version: int,
  base: int,
  adapter: int,
  guesses: list(guess),
});

const SHAPES: { [M in ToGallery as M["type"]]: Check<M> } = {
  galleryState: record<GalleryState>({
    type: oneOf("galleryState"),
    protocol: int,
    model: str,
    title: str,
    n_images: int,
    image: int,
    group: int,
    place: int,
    tiles: list(tile),
    groups: list(group),
    adapter,
    top: int,
    learning: bool,
    n_confirmed: int,
    n_accepted: int,
    n_corrected: int,
    n_skipped: int,
    n_flagged: int,
    can_undo: bool,
    can_redo: bool,
  }),
  classes: record<Classes>({ type: oneOf("classes"), names: list(str) }),
  cards: record<Cards>({ type: oneOf("cards"), cards: list(card) }),
  lookReport: record<LookReport>({
    type: oneOf("lookReport"),
    status: oneOf(...LOOKING),
    n_done: int,
    n_images: int,
    n_unreadable: int,
    left_s: num,
    problems: list(str),
  }),
  pictureBytes: record<PictureBytes>({ type: oneOf("pictureBytes"), images: list(int), large: bool }),
  job: record<Job>({
    type: oneOf("job"),
    id: int,
    kind: str,
    status: oneOf(...JOB_STATUS),
    done: int,
    total: int,
    left_s: num,
    note: str,
  }),
  error: record<KernelError>({ type: oneOf("error"), message: str }),
  batch: record<Batch>({ type: oneOf("batch"), messages: list(anything), n_buffers: list(int) }),
};

/** How many buffers belong to a message. */
function buffersOf(message: ToGallery): number {
  if (message.type === "pictureBytes") return message.images.length;
  if (message.type === "batch") return message.n_buffers.reduce((sum, count) => sum + count, 0);
  return 0;
}

const ANSWERED: ReadonlySet<ToKernel["type"]> = new Set([
  "hello",
  "requestPictures",
  "label",
  "setFlag",
  "skip",
  "show",
  "unlearn",
  "showGroup",
  "setLearning",
  "look",
  "undo",
  "redo",
]);

/** The gallery's protocol, for the line to the kernel. */
export const GALLERY = wire<ToKernel, ToGallery>(PROTOCOL, ANSWERED, (message) => message, SHAPES, buffersOf);
