// The bottom row: what to do next in the accent colour, and what is going on.

import type { Commands } from "./commands";
import { button, h, setText } from "./dom";
import type { Job, JobKind } from "./messages";
import { canFlag, canLearn, canTrack, DOUBTFUL, hasProposals, type NextAction, nextAction } from "./rules";
import type { Store } from "./store";

const DOING: { [K in JobKind]: string } = {
  predict: "Finding the object",
  track: "Tracking",
  learn: "Learning",
  propose: "Asking for a proposal",
};
const NEXT: { [A in NonNullable<NextAction>]: string } = {
  click: "Click the object to follow",
  track: "Track it through the video, or refine with more clicks; Alt+click takes away",
  learn: "Learn from this correction and track on",
  accept: "Is the proposal right? Accept or reject it",
};
const LEARN = "Learn & track: train the adapter on this correction";
const TRACK_ON = "Track on from this correction";
const READY = "Play to check. Where the mask is wrong, click to correct; Alt+click takes away";
const READY_PROPOSING = "Play to check. Where the mask is wrong, press W for a proposal or click to correct";

export function statusText(store: Store): string {
  if (store.link === "disconnected") {
    return "Not connected: the kernel is busy, was restarted or stopped. If this stays, run the cell again";
  }
  if (!store.state) return "Waiting for the kernel";
  if (store.away) return "The notebook has the keys. Click the picture to use keys here again";
  if (store.notice) return store.notice;
  const { job } = store;
  if (job?.status === "running") {
    const doing = job.note || DOING[job.kind];
    return `${doing} · ${store.following ? "following · click to correct" : "Esc stops and keeps"}`;
  }
  const action = nextOf(store);
  const unlearned = action === "learn" && !store.state.proposes;
  const next = unlearned
    ? `${TRACK_ON}, or refine it`
    : action
      ? NEXT[action]
      : hasProposals(store.state, store.active)
        ? READY_PROPOSING
        : READY;
  if (!store.toldHere) return next;
  if (job?.status === "failed" && job.note) return job.note;
  if (job?.status === "done" && job.kind === "propose" && job.note) return job.note;
  if (job?.status === "done" && (job.kind === "predict" || job.kind === "track") && job.note)
    return `${job.note}. ${next}`;
  const stopped = job?.status === "cancelled" || job?.status === "interrupted";
  return stopped ? `Stopped; what was done stays. ${next}` : next;
}

export const nextOf = (store: Store): NextAction =>
  store.state && !store.running
    ? nextAction(store.state, store.frame, store.active, store.open !== null)
    : null;

/** Progress in words: `61 % · 12 s left`. */
export function progressText(job: Pick<Job, "done" | "total" | "left_s">): string {
  const parts: string[] = [];
  if (job.total > 0) parts.push(`${Math.round((job.done / job.total) * 100)} %`);
  if (job.left_s > 0)
    parts.push(`${job.left_s < 10 ? job.left_s.toFixed(1) : Math.round(job.left_s)} s left`);
  return parts.join(" · ");
}

export function makeActions(store: Store, commands: Commands) {
  const track = button({
    icon: "forward",
    text: "Track",
    label: "Track forward from this frame",
    key: "T",
    run: () => commands.track(false),
  });
  const back = button({
    icon: "back",
    text: "Track back",
    label: "Track back: track backward from this frame",
    key: "⇧T",
    run: () => commands.track(true),
  });
  const learn = button({
    icon: "learn",
    text: "Learn & track",
    label: LEARN,
    key: "⏎",
    run: commands.learn,
  });
  const flag = button({
    icon: "wrong",
    text: "Wrong here",
    label: "Wrong here: ask for a proposal",
    key: "W",
    run: commands.flag,
  });
  const doubtful = button({
    icon: "doubtful",
    text: "Doubtful",
    label: "Doubtful: go to the next frame whose mask is",
    key: "N",
    run: commands.nextDoubtful,
  });
  const stop = button({
    icon: "stop",
    text: "Stop",
    label: "Stop the job and keep what is done",
    key: "Esc",
    run: commands.cancel,
  });
  const status = h("span", { class: "lit-status", role: "status", "aria-live": "polite" });
  const bar = h(
    "div",
    {
      class: "lit-bar",
      role: "progressbar",
      "aria-label": "Progress",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    },
    h("div", {}),
  );
  const numbers = h("span", { class: "lit-number lit-dim" });
  const progress = h("div", { class: "lit-progress" }, bar, numbers, stop);
  const element = h(
    "div",
    { class: "lit-actions" },
    h("div", { class: "lit-group" }, track, back, learn, flag, doubtful),
    h("div", { class: "lit-doing" }, status, progress),
  );

  function updateButtons(): void {
    const { state, frame, active } = store;
    const idle = state !== null && store.link !== "disconnected";
    track.disabled = back.disabled = !idle || !canTrack(state);
    learn.disabled = !idle || !canLearn(state, frame, active);
    flag.disabled = !idle || !canFlag(state, frame, active);
    doubtful.disabled = !store.confidence.get(active)?.some((percent) => percent < DOUBTFUL);
    flag.hidden = state?.proposes === false;
    setText(
      learn.querySelector("span:not(.lit-icon)") as Element,
      flag.hidden ? "Track on" : "Learn & track",
    );
    learn.title = `${flag.hidden ? TRACK_ON : LEARN} (\u23ce)`;
    learn.setAttribute("aria-label", flag.hidden ? TRACK_ON : LEARN);
    const next = nextOf(store);
    track.classList.toggle("lit-next", next === "track");
    learn.classList.toggle("lit-next", next === "learn");
  }

  function update(): void {
    updateButtons();
    setText(status, statusText(store));
    status.classList.toggle("lit-notice", store.notice !== "");
    const { job } = store;
    progress.classList.toggle("lit-shown", store.running);
    stop.disabled = !store.running;
    const share = job && job.total > 0 ? Math.round((job.done / job.total) * 100) : 0;
    bar.classList.toggle("lit-unknown", store.running && !job?.total);
    bar.setAttribute("aria-valuenow", String(share));
    (bar.firstElementChild as HTMLElement).style.width = `${share}%`;
    setText(numbers, job && store.running ? progressText(job) : "");
  }

  return { element, update };
}
