// The time line: the playhead over one lane per object. What is cached needs no kernel to be shown.

import type { FrameCanvas } from "./canvas";
import type { Commands } from "./commands";
import { makeStrip } from "./confidence";
import { button, h, memo, setIcon, setText, svg } from "./dom";
import { clock, frameAt, percentOf } from "./geometry";
import type { FrameStatus, ObjectInfo, Run } from "./messages";
import { rangeOf } from "./rules";
import type { Store } from "./store";
import { makeThumbnail } from "./thumbnail";

type MarkStatus = Exclude<FrameStatus, "tracked">;

const MARKS: { [S in MarkStatus]: string } = {
  corrected: "M0-5.5 5.5 0 0 5.5-5.5 0Z",
  accepted: "M0-5 5 0 0 5-5 0Z",
  prompted: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
};
const MARK_NAMES: { [S in MarkStatus]: string } = {
  corrected: "correction",
  accepted: "accepted",
  prompted: "prompt",
};
const MOST_MARKS = 400;

/** Runs of neighbouring numbers: `[3, 4, 5, 9]` is `[[3, 5], [9, 9]]`. */
export function extents(sorted: number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const index of sorted) {
    const last = found.at(-1);
    if (last && index === last[1] + 1) last[1] = index;
    else found.push([index, index]);
  }
  return found;
}

const band = (first: number, last: number, attributes: Record<string, string>) =>
  svg("rect", { x: first, y: 0, width: last - first + 1, height: 1, ...attributes });

const stripes = (nFrames: number, ...content: Node[]) =>
  svg(
    "svg",
    { class: "lit-strip", viewBox: `0 0 ${nFrames} 1`, preserveAspectRatio: "none", "aria-hidden": "true" },
    ...content,
  );

function marksOf(runs: Run[], nFrames: number): SVGElement[] {
  const marks: SVGElement[] = [];
  for (const [first, last, status] of runs) {
    if (status === "tracked") continue;
    for (let frame = first; frame <= last && marks.length < MOST_MARKS; frame++) {
      const path = svg("path", { d: MARKS[status], class: `lit-mark lit-${status}` });
      marks.push(svg("svg", { x: `${percentOf(frame, nFrames)}%`, y: "50%", overflow: "visible" }, path));
    }
  }
  return marks;
}

const PROPOSED = "M0 4-4.5-4h9Z";

function lane(object: ObjectInfo, nFrames: number, proposed: number | null): HTMLElement[] {
  const bands = object.runs.map(([first, last]) => band(first, last, { fill: object.colour }));
  const changed = object.changed.map(([first, last]) =>
    band(first, last, { class: "lit-changed", y: "0.75", height: "0.25" }),
  );
  const label = h(
    "div",
    { class: `lit-lane-name ${object.hidden ? "lit-dim" : ""}`, title: object.name },
    h("span", { class: "lit-swatch", style: `--object:${object.colour}` }, String(object.id)),
    h("span", { class: "lit-ellipsis" }, object.name),
  );
  const marks = svg("svg", { class: "lit-marks", "aria-hidden": "true" }, ...marksOf(object.runs, nFrames));
  if (proposed !== null) {
    const path = svg("path", { d: PROPOSED, class: "lit-mark lit-proposed" });
    marks.append(svg("svg", { x: `${percentOf(proposed, nFrames)}%`, y: "50%", overflow: "visible" }, path));
  }
  return [
    label,
    h(
      "div",
      { class: `lit-lane ${object.hidden ? "lit-faint" : ""}` },
      stripes(nFrames, ...bands, ...changed),
      marks,
    ),
  ];
}

/** What the marks mean, for the help. */
export function makeLegend(): HTMLElement {
  const items = (Object.keys(MARKS) as MarkStatus[]).map((status) =>
    h(
      "span",
      {},
      svg(
        "svg",
        { class: "lit-icon", viewBox: "-8 -8 16 16", "aria-hidden": "true" },
        svg("path", { d: MARKS[status], class: `lit-mark lit-${status}` }),
      ),
      MARK_NAMES[status],
    ),
  );
  const sample = (name: string, text: string) =>
    h("span", {}, h("span", { class: name, "aria-hidden": "true" }), text);
  return h(
    "div",
    { class: "lit-legend" },
    ...items,
    sample("lit-gap", "untracked"),
    sample("lit-doubt", "doubtful mask"),
    sample("lit-altered", "mask changed by the latest tracking"),
    sample("lit-outside", "not to be tracked"),
  );
}

function dragToSeek(track: HTMLElement, store: Store, commands: Commands): void {
  const seek = (event: PointerEvent) => {
    const box = track.getBoundingClientRect();
    commands.seek(frameAt(event.clientX - box.left, box.width, store.nFrames));
  };
  track.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    track.setPointerCapture(event.pointerId);
    seek(event);
  });
  track.addEventListener("pointermove", (event) => {
    if (track.hasPointerCapture(event.pointerId)) seek(event);
  });
}

export function makeTimeline(store: Store, commands: Commands, canvas: FrameCanvas) {
  const play = button({ icon: "play", label: "Play", key: "Space", run: commands.togglePlay });
  const time = h("span", { class: "lit-time" }, "0:00.0");
  const loop = button({ icon: "loop", label: "Repeat", key: "⇧L", class: "lit-small", run: commands.loop });
  const speed = button({ text: "1×", label: "Speed", class: "lit-small lit-speed", run: commands.nextSpeed });
  const strip = makeStrip(store);
  const outside = [h("div", { class: "lit-outside" }), h("div", { class: "lit-outside" })] as const;
  const cached = h("div", { class: "lit-scrub" });
  const lanes = h("div", { class: "lit-lanes" });
  const playhead = h("div", { class: "lit-playhead" });
  const track = h(
    "div",
    { class: "lit-track", role: "slider", tabindex: 0, "aria-label": "Frame", "aria-valuemin": 0 },
    playhead,
  );
  dragToSeek(track, store, commands);
  const thumbnail = makeThumbnail(track, store, canvas);
  const rows = h(
    "div",
    { class: "lit-rows" },
    h("div", { class: "lit-clock" }, play, time, loop, speed),
    h("div", {}, strip.element, cached),
    lanes,
    outside[0],
    outside[1],
    track,
  );
  const element = h("div", { class: "lit-timeline" }, rows, thumbnail.element);

  const drawLanes = memo(() => {
    const state = store.state;
    const on = (id: number) => (store.open?.object === id ? store.open.frame : null);
    lanes.replaceChildren(
      ...(state?.objects.flatMap((object) => lane(object, store.nFrames, on(object.id))) ?? []),
    );
  });
  const drawCached = memo(() => {
    const bands = extents(store.frames.indices).map(([first, last]) =>
      band(first, last, { class: "lit-cached" }),
    );
    cached.replaceChildren(stripes(Math.max(1, store.nFrames), ...bands));
  });

  const drawRange = memo(() => {
    const [first, last] = store.state ? rangeOf(store.state) : [0, 0];
    const share = (frames: number) =>
      `calc((100% - var(--lit-names)) * ${frames / Math.max(1, store.nFrames)})`;
    outside[0].style.width = share(first);
    outside[1].style.width = share(Math.max(0, store.nFrames - 1 - last));
  });

  function update(): void {
    const fps = store.state?.video.fps ?? 1;
    const shown = clock(store.frame, fps);
    setText(time, shown);
    setIcon(play, store.playing ? "pause" : "play");
    play.setAttribute("aria-label", store.playing ? "Pause" : "Play");
    play.disabled = store.nFrames < 2;
    track.setAttribute("aria-valuemax", String(Math.max(0, store.nFrames - 1)));
    track.setAttribute("aria-valuenow", String(store.frame));
    track.setAttribute("aria-valuetext", `frame ${store.frame} of ${store.nFrames}, ${shown}`);
    loop.setAttribute("aria-pressed", String(store.looping));
    setText(speed.firstElementChild as Element, `${store.speed}×`);
    speed.title = `Speed of playback: ${store.speed} (, slower, . faster)`;
    speed.setAttribute("aria-label", `Speed ${store.speed}`);
    strip.update();
    drawRange(store.nFrames, store.state?.range);
    playhead.hidden = store.nFrames === 0;
    playhead.style.left = `${percentOf(store.frame, store.nFrames)}%`;
    drawLanes(store.nFrames, store.state?.objects, store.open?.object, store.open?.frame);
    drawCached(store.nFrames, store.frames.indices);
    thumbnail.update();
  }

  return { element, update };
}
