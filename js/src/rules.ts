// What the user can do now, and what to do next: pure questions about the state.

import { clamp } from "./geometry";
import type { AdapterInfo, Candidate, FrameStatus, ObjectInfo, Prompt, Standing, State } from "./messages";

export type NextAction = "click" | "track" | "learn" | "accept" | null;

export const objectOf = (state: State, id: number): ObjectInfo | undefined =>
  state.objects.find((object) => object.id === id);

export const adapterOf = (state: State, id: number): AdapterInfo | undefined =>
  state.adapters.find((adapter) => adapter.object === id);

/** Whether there may be a proposal where the object's mask is wrong. */
export const hasProposals = (state: State, id: number): boolean =>
  state.learning && (state.proposes_untaught || (adapterOf(state, id)?.version ?? 0) > 0);

/** Who proposes a candidate. */
export const sourceOf = ({ source, adapter_version }: Omit<Candidate, "learned_from">): string =>
  adapter_version > 0 ? `${source} v${adapter_version}` : source;

/** How the object got its mask on the frame. */
export const statusOn = (object: ObjectInfo | undefined, frame: number): FrameStatus | undefined =>
  object?.runs.find(([first, last]) => first <= frame && frame <= last)?.[2];

/** Whether the object has a mask on the frame. */
export const hasMask = (object: ObjectInfo | undefined, frame: number): boolean =>
  statusOn(object, frame) !== undefined;

export const isTracked = (object: ObjectInfo | undefined): boolean =>
  object?.runs.some(([, , status]) => status === "tracked") ?? false;

/** Whether there is anything to track the object from. */
export const isBegun = (state: State, object: ObjectInfo): boolean =>
  object.runs.length > 0 || state.standing.some((each) => each.object === object.id);

export const promptsOn = <P extends Prompt>(prompts: P[], frame: number, object: number): P[] =>
  prompts.filter((prompt) => prompt.frame === frame && prompt.object === object);

/** What stands on a frame and has not been learned. */
export const standingOn = (state: State, frame: number, object: number): Standing | undefined =>
  state.standing.find((each) => each.frame === frame && each.object === object);

export const canTrack = (state: State): boolean =>
  state.standing.length > 0 || state.objects.some((object) => object.runs.length > 0);

export const canLearn = (state: State, frame: number, object: number): boolean =>
  standingOn(state, frame, object) !== undefined;

/** The kernel has nothing to propose where the object's own prompt stands. */
export const canFlag = (state: State, frame: number, object: number): boolean =>
  hasMask(objectOf(state, object), frame) && statusOn(objectOf(state, object), frame) !== "prompted";

/** Whether tracking within the range has anything of an object to go on from. */
export function isInRange(state: State, object: ObjectInfo): boolean {
  const [first, last] = rangeOf(state);
  const stands = state.standing.some(
    (each) => each.object === object.id && each.frame >= first && each.frame <= last,
  );
  return stands || object.runs.some(([from, to]) => from <= last && to >= first);
}

/** The one thing that brings the user further, shown in the accent colour. */
export function nextAction(state: State, frame: number, active: number, proposalOpen: boolean): NextAction {
  if (proposalOpen) return "accept";
  const object = objectOf(state, active);
  if (object?.locked || object?.hidden) return null;
  if (isTracked(object) && canLearn(state, frame, active)) {
    // Where the object's own prompt stands there is no prediction that could have been wrong: nothing is learned.
    return statusOn(object, frame) === "prompted" ? "track" : "learn";
  }
  if (isTracked(object)) return null;
  const prompted = state.standing.some((each) => each.object === active) || (object?.runs.length ?? 0) > 0;
  return prompted ? "track" : "click";
}

/** Where tracking starts: the frame itself if it has a mask, else the nearest one that can lead to it. */
export function trackStart(state: State, frame: number, reverse: boolean): number {
  const objects = state.objects;
  const [first, last] = rangeOf(state);
  if (frame < first || frame > last) return reverse ? last : first;
  if (objects.some((object) => hasMask(object, frame))) return frame;
  const prompted = state.standing.map((each) => each.frame);
  if (prompted.includes(frame)) return frame;
  const ends = objects.flatMap((object) => object.runs.map(([first, last]) => (reverse ? first : last)));
  const known = [...ends, ...prompted];
  const leading = known.filter((index) => (reverse ? index > frame : index < frame));
  const from = leading.length > 0 ? leading : known;
  if (from.length === 0) return frame;
  const nearest = leading.length > 0 === reverse ? Math.min(...from) : Math.max(...from);
  return clamp(nearest, first, last);
}

/** The frames to track and to repeat. */
export const rangeOf = ({ range, video }: State): [first: number, last: number] => [
  range[0] ?? 0,
  range[1] ?? Math.max(0, video.n_frames - 1),
];

/** In the place of a percentage where there is no mask, and the percent below which a mask is worth a look. */
export const NO_MASK = 255;
export const DOUBTFUL = 70;

/** Frames after which a stretch that is still doubtful is worth another look. */
const STRETCH = 30;

/** The worst frame of the next doubtful stretch behind a frame, from the start again at the end. */
export function nextDoubtful(strip: Uint8Array, after: number): number | undefined {
  const worst: number[] = [];
  let begun = 0;
  const percent = (frame: number): number => strip[frame] ?? NO_MASK;
  for (let frame = 0; frame < strip.length; frame++) {
    if (percent(frame) >= DOUBTFUL) continue;
    if (frame === 0 || percent(frame - 1) >= DOUBTFUL || frame - begun >= STRETCH) {
      worst.push(frame);
      begun = frame;
    } else if (percent(frame) < percent(worst.at(-1) as number)) worst[worst.length - 1] = frame;
  }
  return worst.find((frame) => frame > after) ?? worst[0];
}
