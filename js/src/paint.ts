// Strokes and marks on the canvas.

import type { Point } from "./geometry";
import type { Layer } from "./layers";
import type { Prompt } from "./messages";
import type { Drawing } from "./store";
import type { ToolName } from "./tools/tool";

type Context = CanvasRenderingContext2D;

export const MASK_ALPHA = 0.45;
const OUTLINE_PX = 2;
const CASING_PX = 4;

export function paintArea(context: Context, layer: Layer, alpha: number): void {
  if (!layer.area) return;
  context.globalAlpha = alpha;
  context.drawImage(layer.area, layer.box.x, layer.box.y);
  context.globalAlpha = 1;
}

/** An outline in the object's colour with a light rim, so that it is seen on a ground of the same colour too. */
export function paintContour(context: Context, layer: Layer, colour: string, scale: number): void {
  paintOutline(context, layer, "#ffffffb0", scale, [], CASING_PX);
  paintOutline(context, layer, colour, scale);
}

/** A line of constant width on the screen, whatever the zoom. */
export function paintOutline(
  context: Context,
  layer: Layer,
  colour: string,
  scale: number,
  dash: number[] = [],
  width = OUTLINE_PX,
): void {
  context.lineCap = dash.length > 0 ? "butt" : "square";
  context.lineWidth = width / scale;
  context.setLineDash(dash.map((length) => length / scale));
  context.strokeStyle = colour;
  context.stroke(layer.outline);
  context.setLineDash([]);
}

/** Diagonal lines on transparent ground: rising for what is added, falling for what is removed. */
export function hatch(
  context: Context,
  rising: boolean,
  colour: string,
  ratio: number,
): CanvasPattern | null {
  const n = Math.round(7 * ratio);
  const tile = document.createElement("canvas");
  tile.width = n;
  tile.height = n;
  const lines = tile.getContext("2d");
  if (!lines) return null;
  lines.strokeStyle = colour;
  lines.lineWidth = 1.6 * ratio;
  for (const shift of [-n, 0, n]) {
    lines.moveTo(shift - 1, rising ? n + 1 : -1);
    lines.lineTo(shift + n + 1, rising ? -1 : n + 1);
  }
  lines.stroke();
  return context.createPattern(tile, "repeat");
}

export const isPaint = (kind: Drawing["kind"] | ToolName): boolean => kind === "brush" || kind === "eraser";

/** The way of a brush or an eraser, in video pixels. */
export function paintStroke(context: Context, { points, kind, radius }: Drawing, colour: string): void {
  context.globalCompositeOperation = kind === "eraser" ? "destination-out" : "source-over";
  context.strokeStyle = colour;
  context.lineWidth = 2 * radius;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  const [first] = points;
  if (first) context.moveTo(first.x, first.y);
  for (const { x, y } of points) context.lineTo(x, y);
  context.stroke();
  context.globalCompositeOperation = "source-over";
}

/** The outline of a lasso or a box on its light rim; dashed where it takes away. */
export function paintShape(
  context: Context,
  { points, kind, corners }: Pick<Drawing, "points" | "kind" | "corners">,
  colour: string,
  scale: number,
): void {
  const [from, to] = [points[0], points.at(-1)];
  if (!from || !to) return;
  context.beginPath();
  if (kind === "box") context.rect(from.x, from.y, to.x - from.x, to.y - from.y);
  else {
    context.moveTo(from.x, from.y);
    for (const { x, y } of points) context.lineTo(x, y);
  }
  context.lineJoin = "round";
  context.setLineDash(kind === "cut" ? [6 / scale, 5 / scale] : []);
  strokeOnRim(context, colour, scale);
  if (corners) paintCorners(context, points, colour, scale);
  context.setLineDash([]);
}

/** Draw the path that was begun on a light rim. */
function strokeOnRim(context: Context, colour: string, scale: number): void {
  for (const [ink, width] of [
    ["#ffffffb0", CASING_PX],
    [colour, OUTLINE_PX],
  ] as const) {
    context.strokeStyle = ink;
    context.lineWidth = width / scale;
    context.stroke();
  }
}

/** The corners of a polygon that is not closed yet, the first one larger, and the line that would close it. */
function paintCorners(context: Context, points: Point[], colour: string, scale: number): void {
  const [first, last] = [points[0], points.at(-1)] as [Point, Point];
  context.beginPath();
  context.moveTo(last.x, last.y);
  context.lineTo(first.x, first.y);
  context.setLineDash([5 / scale, 4 / scale]);
  strokeOnRim(context, colour, scale);
  context.setLineDash([]);
  points.forEach((point, i) => {
    disc(context, point, (i === 0 ? 5 : 3.5) / scale, colour, "#fff", 1.5 / scale);
  });
}

function disc(context: Context, at: Point, radius: number, fill: string, rim: string, rimWidth = 2): void {
  context.beginPath();
  context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.lineWidth = rimWidth;
  context.strokeStyle = rim;
  context.stroke();
}

/** A click: a plus on the object's colour, or a minus on white; an open ring while it is on its way. */
export function paintPrompt(
  context: Context,
  prompt: Prompt,
  at: Point,
  colour: string,
  sent: boolean,
): void {
  const ink = prompt.positive ? inkOn(colour) : "#111";
  if (!sent) context.globalAlpha = 0.75;
  disc(context, at, 7.5, prompt.positive ? colour : "#fff", prompt.positive ? "#fff" : "#111");
  context.fillStyle = ink;
  context.fillRect(at.x - 4, at.y - 1, 8, 2);
  if (prompt.positive) context.fillRect(at.x - 1, at.y - 4, 2, 8);
  context.globalAlpha = 1;
}

/** Black or white, whichever is read better on a colour. */
export function inkOn(colour: string): "#111" | "#fff" {
  const value = Number.parseInt(colour.slice(1), 16);
  const [red, green, blue] = [value >> 16, (value >> 8) & 255, value & 255];
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? "#111" : "#fff";
}

/** The object's number, its middle at a point. */
export function paintNumber(
  context: Context,
  text: string,
  at: Point,
  colour: string,
  active: boolean,
): void {
  context.font = `600 11px ${getComputedStyle(context.canvas).fontFamily}`;
  const width = Math.max(16, context.measureText(text).width + 8);
  context.beginPath();
  context.roundRect(at.x - width / 2, at.y - 8, width, 16, 4);
  context.fillStyle = colour;
  context.fill();
  if (active) {
    context.lineWidth = 1.5;
    context.strokeStyle = "#fff";
    context.stroke();
  }
  context.fillStyle = inkOn(colour);
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, at.x, at.y + 0.5);
}
