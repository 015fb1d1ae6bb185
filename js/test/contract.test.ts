// @vitest-environment node
// The samples that the Python tests write, one of every message, hold for this side too.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { GALLERY } from "../src/gallery/messages";
import { encode, VIDEO } from "../src/messages";
import type { Message, Wire } from "../src/wire";

function samplesIn(name: string) {
  const folder = fileURLToPath(new URL(`../../tests/${name}/`, import.meta.url));
  const names = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".json")) : [];
  return names.map((file) => ({ name: file, ...JSON.parse(readFileSync(folder + file, "utf8")) }));
}

describe.each<[string, Wire<never, Message>]>([
  ["contract", VIDEO],
  ["contract_gallery", GALLERY],
])("%s", (folder, wire) => {
  const samples = samplesIn(folder);
  const toView = samples.filter(({ direction }) => direction === "to_view");
  const toKernel = samples.filter(({ direction }) => direction === "to_kernel");

  it.skipIf(toView.length === 0).each(toView)(
    "$name is understood, down to the last field",
    ({ message }) => {
      const read = wire.parse(message);
      expect(read).toEqual(message);
      expect(wire.buffersOf(read)).toBeGreaterThanOrEqual(0);
    },
  );

  it.skipIf(toKernel.length === 0).each(toKernel)("$name is what the view sends", ({ message }) => {
    expect(wire.encode(message as never)).toEqual(message);
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
