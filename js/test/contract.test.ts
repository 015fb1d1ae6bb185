// @vitest-environment node
// The samples that the Python tests write, one of every message, hold for this side too.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { encode, parse } from "../src/messages";

const folder = fileURLToPath(new URL("../../tests/contract/", import.meta.url));
const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
const samples = names.map((name) => ({ name, ...JSON.parse(readFileSync(folder + name, "utf8")) }));

const toView = samples.filter(({ direction }) => direction === "to_view");
const toKernel = samples.filter(({ direction }) => direction === "to_kernel");

describe.skipIf(toView.length === 0)("from the kernel", () => {
  it.each(toView)("$name is understood, down to the last field", ({ message }) => {
    expect(parse(message)).toEqual(message);
  });
});

describe.skipIf(toKernel.length === 0)("to the kernel", () => {
  it.each(toKernel)("$name is what the view sends", ({ message }) => {
    expect(encode(message)).toEqual(message);
  });
});

it("fills in what a message may leave out", () => {
  expect(encode({ type: "track", start: 4 })).toEqual({
    type: "track",
    start: 4,
    reverse: false,
    stop: null,
  });
});
