// What the active object's adapter has learned, from which frames, and what that saved.

import type { Commands } from "./commands";
import { button, h, memo, setText, svg } from "./dom";
import type { AdapterInfo, ObjectInfo } from "./messages";
import { adapterOf, objectOf, statusOn } from "./rules";
import type { Store } from "./store";

const SPARK = { width: 96, height: 24 };

/** Points of the loss curve; a flat line where there is nothing to compare. */
export function sparkline(losses: number[], width = SPARK.width, height = SPARK.height): string {
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  const range = high - low || 1;
  const step = losses.length > 1 ? (width - 4) / (losses.length - 1) : 0;
  return losses
    .map(
      (loss, i) =>
        `${(2 + i * step).toFixed(1)},${(2 + (1 - (loss - low) / range) * (height - 4)).toFixed(1)}`,
    )
    .join(" ");
}

/** Three significant digits, without an exponent. */
export const brief = (value: number): string => Number(value.toPrecision(value < 10 ? 2 : 3)).toString();

function fact(name: string, ...value: (Node | string)[]): HTMLElement[] {
  return [h("dt", {}, name), h("dd", {}, ...value)];
}

/** The frames that an adapter learned from, and whether it can forget each: it can forget corrections. */
export function sourcesOf(adapter: AdapterInfo | undefined, object: ObjectInfo | undefined) {
  const frames = [...new Set(adapter?.learned_from)].sort((a, b) => a - b);
  return frames.map((frame) => ({ frame, forgettable: statusOn(object, frame) !== "accepted" }));
}

type Source = ReturnType<typeof sourcesOf>[number];

/** A way to the frame, and to make the adapter forget it. */
function chip({ frame, forgettable }: Source, commands: Commands): HTMLElement {
  const jump = button({
    text: String(frame),
    label: `Learned from frame ${frame}: go to it`,
    run: () => commands.seek(frame),
  });
  if (!forgettable) return h("li", {}, jump);
  const forget = button({
    icon: "cross",
    label: `Forget this correction: frame ${frame}`,
    run: () => commands.forget(frame),
  });
  forget.title = "Forget this correction";
  return h("li", {}, jump, forget);
}

/** Where an adapter's knowledge is from. */
function sourceFact(sources: Source[], commands: Commands): HTMLElement[] {
  const list = h("ul", { class: "lit-sources" }, ...sources.map((source) => chip(source, commands)));
  return fact("from", list);
}

function lossFact(adapter: AdapterInfo): HTMLElement[] {
  const { losses } = adapter;
  if (losses.length === 0) return [];
  const first = losses[0] as number;
  const last = losses.at(-1) as number;
  const line = svg("polyline", { points: sparkline(losses) });
  const chart = svg(
    "svg",
    { class: "lit-spark", viewBox: `0 0 ${SPARK.width} ${SPARK.height}`, "aria-hidden": "true" },
    line,
  );
  return fact("loss", h("span", { class: "lit-number" }, `${brief(first)} → ${brief(last)}`), chart);
}

function adapterFacts(
  adapter: AdapterInfo | undefined,
  sources: Source[],
  commands: Commands,
): HTMLElement[] {
  if (!adapter || adapter.version === 0) {
    return [
      h("p", { class: "lit-dim" }, "Nothing yet. Correct a frame and press ⏎: the adapter learns from it."),
    ];
  }
  return [
    h(
      "dl",
      { class: "lit-facts" },
      ...fact(
        "adapter",
        h("strong", {}, `v${adapter.version}`),
        h("span", { class: "lit-number lit-dim" }, ` in ${brief(adapter.update_s)} s`),
      ),
      ...lossFact(adapter),
      ...sourceFact(sources, commands),
    ),
  ];
}

const SHADOW =
  "Without live training the same masks would have taken a correction wherever you accepted a proposal: " +
  "to track, both ways are the same model, so nothing else differs. Seconds count one to find an error and 1.5 per " +
  "click, as many clicks as your corrections took; painted ones are not counted";

/** Corrections against those of the same work without live training. */
function savings(store: Store): HTMLElement {
  const { n_accepted = 0, n_corrections = 0, saved_s = 0 } = store.state ?? {};
  const all = (store.state?.objects.length ?? 0) > 1 ? " in all" : "";
  const given = n_corrections === 1 ? "1 correction" : `${n_corrections} corrections`;
  const spared = n_accepted === 1 ? "1 correction" : `${n_accepted} corrections`;
  const saved =
    n_accepted > 0
      ? `LIT saved ${spared}${saved_s > 0 ? `, about ${Math.round(saved_s)}\u00a0s` : ""}`
      : "LIT has saved no correction yet";
  const without =
    n_accepted > 0
      ? `You gave ${given}${all}; without LIT ${n_corrections + n_accepted}`
      : `You gave ${given}${all}`;
  return h(
    "p",
    { class: "lit-saved", title: SHADOW },
    h(n_accepted > 0 ? "strong" : "span", {}, saved),
    h("span", { class: "lit-dim" }, without),
  );
}

export function makeLearning(store: Store, commands: Commands) {
  const whose = h("span", { class: "lit-whose" });
  const learned = h("div", { class: "lit-learned", tabindex: -1 });
  const power = button({
    text: "on",
    label: "Learning on",
    class: "lit-small lit-switch",
    run: () => commands.setLearning(!store.state?.learning),
  });
  const element = h(
    "div",
    { class: "lit-section" },
    h("div", { class: "lit-title-row" }, h("h3", { class: "lit-heading" }, "Learning", whose), power),
    learned,
  );

  function taught() {
    const { state, active } = store;
    return state ? { adapter: adapterOf(state, active), object: objectOf(state, active) } : {};
  }
  const draw = memo(() => {
    const { state } = store;
    const { adapter, object } = taught();
    const focused = learned.contains(document.activeElement);
    const several = (state?.objects.length ?? 0) > 1;
    setText(whose, object && several ? ` · ${object.name}` : "");
    whose.title = object?.name ?? "";
    const facts = adapterFacts(adapter, sourcesOf(adapter, object), commands);
    const off = h(
      "p",
      { class: "lit-dim" },
      "Off: corrections are used once, nothing is learned or proposed.",
    );
    learned.replaceChildren(...(state ? [...(state.learning ? [] : [off]), ...facts, savings(store)] : []));
    if (focused) learned.focus();
  });

  function update(): void {
    const { state } = store;
    const { adapter, object } = taught();
    const on = state?.learning ?? true;
    power.setAttribute("aria-pressed", String(on));
    power.setAttribute("aria-label", `Learning ${on ? "on" : "off"}`);
    power.title = on
      ? "Learning is on: press to stop learning and proposing"
      : "Learning is off: press to turn it on";
    setText(power.firstElementChild as Element, on ? "on" : "off");
    power.disabled = !state;
    element.hidden = state?.panel === false;
    draw(adapter, sourcesOf(adapter, object), object?.name, [
      state?.learning,
      state?.n_accepted,
      state?.n_corrections,
      state?.saved_s,
      state?.objects.length,
    ]);
  }
  return { element, update };
}
