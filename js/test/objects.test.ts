import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { State } from "../src/messages";
import { Opened, stubPictures } from "./fakes";

const NASTY = `<img src=x onerror="window.hacked = 1">`;

const things = (change: object = {}): Partial<State> => ({
  objects: [
    {
      id: 1,
      name: "rider",
      colour: "#0072B2",
      runs: [[0, 9, "tracked"]],
      hidden: false,
      locked: false,
      changed: [],
    },
    {
      id: 2,
      name: "bike",
      colour: "#E69F00",
      runs: [],
      hidden: false,
      locked: false,
      changed: [],
      ...change,
    },
  ],
  active_object: 2,
});

let view: Opened;

beforeEach(stubPictures);
afterEach(() => view.close());

const text = (selector: string) => view.root.querySelector(selector)?.textContent;

describe("an object", () => {
  it("has a name that is only ever text", async () => {
    view = await Opened.with(things({ name: NASTY }));
    view.press("F2");
    await view.settled();
    expect(view.root.querySelector("img")).toBeNull();
    expect(text(".lit-objects")).toContain(NASTY);
    expect(text(".lit-lane-name:nth-of-type(3)")).toContain(NASTY);
    expect(text(".lit-heading > .lit-whose")).toBeDefined();
    expect((view.root.querySelector(".lit-name") as HTMLInputElement).value).toBe(NASTY);
  });

  it("is renamed and recoloured in place, and the keys typed there do nothing else", async () => {
    view = await Opened.with(things());
    view.press("F2");
    await view.settled();
    const input = view.root.querySelector(".lit-name") as HTMLInputElement;
    expect(document.activeElement).toBe(input);
    const typed = view.press("t", {}, input);
    expect([typed.defaultPrevented, view.model.of("track").length]).toEqual([false, 0]);
    input.value = "  wheel ";
    view.model.receive({ ...view.state, n_accepted: 1 });
    await view.settled();
    expect(input.value).toBe("  wheel ");
    view.press("Enter", {}, input);
    view.press("F2");
    await view.settled();
    (view.root.querySelector('[aria-label="Colour blue"]') as HTMLElement).click();
    const nothing = { name: null, colour: null, hidden: null, locked: null };
    expect(view.model.of("editObject")).toEqual([
      { type: "editObject", object: 2, ...nothing, name: "wheel" },
      { type: "editObject", object: 2, ...nothing, colour: "#0072B2" },
    ]);
  });

  it("is hidden, locked and deleted by key", async () => {
    view = await Opened.with(things());
    view.press("h");
    view.press("k");
    view.press("Delete", { shiftKey: true });
    expect(view.model.of("deleteObject")).toHaveLength(0);
    view.press("k");
    view.press("Delete", { shiftKey: true });
    expect(view.model.of("editObject").map(({ hidden, locked }) => [hidden, locked])).toEqual([
      [true, null],
      [null, true],
      [null, false],
    ]);
    expect(view.model.of("deleteObject")).toEqual([{ type: "deleteObject", object: 2 }]);
  });

  it("takes no prompts while it is locked, and says what to do", async () => {
    view = await Opened.with(things({ locked: true }));
    view.click(100, 100);
    view.press("Delete", { shiftKey: true });
    await view.settled();
    expect([view.model.of("click").length, view.model.of("deleteObject").length]).toEqual([0, 0]);
    expect(text(".lit-status")).toBe("bike is locked: press K to unlock it");
  });
});
