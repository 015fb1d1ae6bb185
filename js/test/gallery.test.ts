// The gallery without a kernel: what it sends, what it shows at once, and what it takes back.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findClasses } from "../src/gallery/find";
import factory from "../src/gallery/index";
import type { Card, GalleryState, Verdict } from "../src/gallery/messages";
import { bufferOf, FakeModel } from "./fakes";

const NAMES = ["wren", "robin", "great tit", "blue tit", "<b>owl</b>"];

const someState = (change: Partial<GalleryState> = {}, said: [Verdict, number][] = []): GalleryState => ({
  type: "galleryState",
  protocol: 1,
  model: "pocket",
  title: "birds",
  n_images: 5,
  image: said.length,
  group: 0,
  place: said.length,
  tiles: [0, 1, 2, 3, 4].map((image) => ({
    image,
    name: `${image}.jpg`,
    verdict: said[image]?.[0] ?? "open",
    label: said[image]?.[1] ?? -1,
    flagged: false,
  })),
  groups: [{ group: 0, n_images: 5, n_done: said.length, version: 0 }],
  adapter: { version: 0, learned_from: [], labels: [], losses: [], update_s: 0 },
  top: 3,
  learning: true,
  n_confirmed: said.length,
  n_accepted: 0,
  n_corrected: 0,
  n_skipped: 0,
  n_flagged: 0,
  can_undo: said.length > 0,
  can_redo: false,
  ...change,
});

const card = (image: number): Card => ({
  image,
  group: 0,
  version: 0,
  base: 0,
  adapter: -1,
  guesses: [0, 1, 2, 3].map((label) => ({ label, base: 40 - label, adapter: -1, known: label < 3 })),
});

const settled = () => new Promise((resolve) => setTimeout(resolve, 40));

let model: FakeModel;
let root: HTMLElement;
let stops: (() => void)[];

beforeEach(async () => {
  model = new FakeModel();
  const definition = factory();
  const el = document.createElement("div");
  document.body.append(el);
  const props = { model, el } as unknown as Parameters<typeof definition.render>[0];
  stops = [definition.initialize(props as never), definition.render(props), () => el.remove()];
  root = el.querySelector(".lit-widget") as HTMLElement;
  model.receive({ type: "classes", names: NAMES });
  const look = { status: "done", n_done: 5, n_images: 5, n_unreadable: 0, left_s: 0, problems: [] };
  model.receive({ type: "lookReport", ...look });
  model.receive(someState());
  model.receive({ type: "cards", cards: [0, 1, 2, 3, 4].map(card) });
  await settled();
});

afterEach(() => {
  for (const stop of stops.reverse()) stop();
  expect(model.listeners).toBe(0);
});

const input = () => root.querySelector("input") as HTMLInputElement;
const labels = () => model.of("label").map(({ image, label }) => [image, label]);

function press(key: string, how: KeyboardEventInit = {}, target: HTMLElement = root): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...how });
  target.dispatchEvent(event);
  return event;
}

describe("labelling", () => {
  it("goes on at once and sends the class that was in sight", async () => {
    press("Enter");
    press("2");
    press("3", { shiftKey: true });
    await settled();
    expect(labels()).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
    expect(root.dataset.image).toBe("3");
    expect(root.dataset.pending).toBe("3");
    model.receive(someState({}, [["confirmed", 0]]));
    await settled();
    expect(root.dataset.image).toBe("3");
    model.receive(
      someState({}, [
        ["confirmed", 0],
        ["confirmed", 1],
        ["confirmed", 2],
      ]),
    );
    await settled();
    expect(root.dataset.pending).toBe("0");
  });

  it("does not answer to keys while a correction changes the guesses", async () => {
    press("4");
    await settled();
    expect(labels()).toEqual([[0, 3]]);
    press("Enter");
    press("1");
    expect(labels()).toEqual([[0, 3]]);
    model.receive({ type: "cards", cards: [card(1)] });
    press("Enter");
    expect(labels()).toEqual([[0, 3]]);
    model.receive(someState({}, [["corrected", 3]]));
    model.receive({ type: "cards", cards: [card(1)] });
    press("Enter");
    expect(labels()).toEqual([
      [0, 3],
      [1, 0],
    ]);
  });

  it("takes back what the kernel refuses", async () => {
    press("Enter");
    await settled();
    expect(root.dataset.image).toBe("1");
    model.receive({ type: "error", message: "image 0 cannot be read" });
    await settled();
    expect(root.dataset.image).toBe("0");
    expect(root.querySelector(".lit-error")?.textContent).toContain("cannot be read");
  });

  it("skips, flags, undoes and walks", () => {
    press(" ");
    press("!", { shiftKey: true });
    press("Backspace");
    press("ArrowRight");
    press("ArrowLeft");
    expect(model.sent.map(({ type }) => type).filter((type) => type !== "requestPictures")).toEqual([
      "hello",
      "skip",
      "setFlag",
      "undo",
      "show",
      "show",
    ]);
  });
});

it("keeps the label of the last image until somebody goes there", async () => {
  const all = [0, 1, 2, 3, 4].map((label): [Verdict, number] => ["confirmed", label % 3]);
  model.receive(someState({ image: 4 }, all));
  await settled();
  press("Enter");
  press("2");
  expect(labels()).toEqual([]);
  await settled();
  expect(root.querySelector(".lit-status")?.textContent).toContain("This image has its label");
  press("ArrowLeft");
  press("2");
  expect(labels()).toEqual([[3, 1]]);
});

it("labels nothing behind the help", () => {
  press("?", { shiftKey: true });
  for (const key of ["Enter", "1", "w", " ", "!"]) press(key);
  press("Escape");
  expect(model.sent.map(({ type }) => type).filter((type) => type !== "requestPictures")).toEqual(["hello"]);
  press("Enter");
  expect(labels()).toEqual([[0, 0]]);
});

it("forgets an error once the user goes on", async () => {
  model.receive({ type: "error", message: "there is nothing to undo" });
  press("Enter");
  await settled();
  expect(root.dataset.status).not.toBe("error");
});

describe("search", () => {
  it("begins with any letter, without losing one", () => {
    press("b");
    expect(document.activeElement).toBe(input());
    expect(input().value).toBe("b");
    input().value = "blue";
    input().dispatchEvent(new Event("input"));
    press("Enter", {}, input());
    expect(labels()).toEqual([[0, 3]]);
    expect(document.activeElement).toBe(root);
  });

  it("begins empty with a slash, since a name may begin with a digit", () => {
    press("/");
    expect(document.activeElement).toBe(input());
    expect(input().value).toBe("");
    press("Enter", {}, input());
    expect(labels()).toEqual([]);
    press("ArrowDown", {}, input());
    press("Enter", {}, input());
    expect(labels()).toEqual([[0, 0]]);
    press("0");
    expect(input().value).toBe("0");
    press("Escape", {}, input());
    expect(document.activeElement).toBe(root);
  });

  it("says how to search where names begin with a digit, and how many it shows", async () => {
    expect(input().placeholder).toBe("Type to search all classes");
    model.receive({ type: "classes", names: Array.from({ length: 12 }, (_, i) => `${i} bird`) });
    await settled();
    expect(input().placeholder).toBe("Type, or / before a digit, to search all classes");
    press("b");
    await settled();
    const told = () => root.querySelector(".lit-asked > p") as HTMLElement;
    expect(told().hidden).toBe(false);
    expect(told().textContent).toBe("9 of 12 classes at most; type more of the name");
    input().value = "10 b";
    input().dispatchEvent(new Event("input"));
    await settled();
    expect(told().hidden).toBe(true);
  });

  it("keeps its keys to itself", () => {
    let leaked = 0;
    const count = () => {
      leaked++;
    };
    document.body.addEventListener("keydown", count);
    for (const key of ["d", "d", "1", "Enter", "ArrowDown", "Escape"]) press(key, {}, input());
    for (const key of ["a", "x", " ", "Backspace", "ArrowUp"]) press(key);
    document.body.removeEventListener("keydown", count);
    expect(leaked).toBe(0);
  });

  it("finds words by their beginnings first", () => {
    expect(findClasses(NAMES, "tit", 9)).toEqual([2, 3]);
    expect(findClasses(NAMES, "b t", 9)).toEqual([3]);
    expect(findClasses(NAMES, "ob", 9)).toEqual([1]);
    expect(findClasses(NAMES, "", 2)).toEqual([0, 1]);
    expect(findClasses(NAMES, "zz", 9)).toEqual([]);
  });

  it("writes names as text", async () => {
    press("o");
    await settled();
    expect(root.querySelector("b")).toBeNull();
    expect(root.querySelector(".lit-guesses")?.textContent).toContain("<b>owl</b>");
  });
});

it("asks for each picture once, the one in sight first", async () => {
  const asked = model.of("requestPictures");
  expect(asked[0]).toEqual({ type: "requestPictures", images: [0], large: true });
  const small = asked.filter(({ large }) => !large).flatMap(({ images }) => images);
  expect(small).toEqual([0, 1, 2, 3, 4]);
  model.receive({ type: "pictureBytes", images: [0], large: true }, [bufferOf()]);
  await settled();
  expect(root.querySelector(".lit-hint")?.textContent).toBe("This image cannot be read");
});

it("says that no image can be read", async () => {
  const look = { status: "done", n_done: 5, n_images: 5, n_unreadable: 5, left_s: 0, problems: [] };
  model.receive({ type: "lookReport", ...look });
  await settled();
  expect(root.querySelector(".lit-status")?.textContent).toBe("No image can be read; the help (?) says why");
});

it("lets the notebook have the keys", async () => {
  root.focus();
  press("Escape");
  await settled();
  expect(document.activeElement).not.toBe(root);
  expect(root.querySelector(".lit-status")?.textContent).toContain("The notebook has the keys");
});
