// Where an object's number goes: deep inside the largest part of its mask, where no stray speck can draw it.

import type { Point, Size } from "./geometry";
import type { Box } from "./layers";

/** Along the longer side of the mask; a number needs no finer place. */
const MOST_CELLS = 48;
/** Of the greatest depth: what is as deep as this is deep enough, and may lie nearer to the middle. */
const DEEP = 0.6;

export interface Spot extends Point {
  /** How far it is to the edge of the part, and where the part begins above it: in video pixels. */
  depth: number;
  top: number;
}

/** The mask in fewer pixels, one row a line of `stride`, with a rim of nothing. */
interface Grid {
  cells: Uint8Array;
  stride: number;
}

/** The pixel that stands for a cell. */
const sample = (cell: number, length: number, step: number): number =>
  Math.min(cell * step + (step >> 1), length - 1);

function reduce(bits: Uint8Array, size: Size, box: Box, step: number): Grid {
  const [columns, rows] = [Math.ceil(box.width / step), Math.ceil(box.height / step)];
  const stride = columns + 2;
  const cells = new Uint8Array(stride * (rows + 2));
  for (let j = 0; j < rows; j++) {
    const row = (box.y + sample(j, box.height, step)) * size.width + box.x;
    for (let i = 0; i < columns; i++) {
      cells[(j + 1) * stride + i + 1] = bits[row + sample(i, box.width, step)] as number;
    }
  }
  return { cells, stride };
}

/** The cells of the largest connected part, in rising order. */
function largestPart({ cells, stride }: Grid): number[] {
  const left = cells.slice();
  let largest: number[] = [];
  for (let start = left.indexOf(1); start >= 0; start = left.indexOf(1, start)) {
    const part = [start];
    left[start] = 0;
    for (const at of part) {
      for (const next of [at - stride, at - 1, at + 1, at + stride]) {
        if (!left[next]) continue;
        left[next] = 0;
        part.push(next);
      }
    }
    if (part.length > largest.length) largest = part;
  }
  return largest.sort((a, b) => a - b);
}

/** Steps from each cell of a part to the nearest one outside. */
function depthsOf(part: number[], { cells, stride }: Grid): Uint16Array {
  const depths = new Uint16Array(cells.length);
  const least = (a: number, b: number) => 1 + Math.min(depths[a] as number, depths[b] as number);
  for (const at of part) depths[at] = least(at - 1, at - stride);
  for (const at of part.toReversed()) {
    depths[at] = Math.min(depths[at] as number, least(at + 1, at + stride));
  }
  return depths;
}

/** The place for the number of a mask: of what is deep inside its largest part, the nearest to the middle. */
export function labelSpot(bits: Uint8Array, size: Size, box: Box): Spot {
  const step = Math.max(1, Math.ceil(Math.max(box.width, box.height) / MOST_CELLS));
  const grid = reduce(bits, size, box, step);
  const { stride } = grid;
  const part = largestPart(grid);
  // Too thin to be met by the grid.
  if (part.length === 0) return { x: box.x + box.width / 2, y: box.y, depth: 0, top: box.y };
  const depths = depthsOf(part, grid);
  const mean = (of: (at: number) => number) => part.reduce((sum, at) => sum + of(at), 0) / part.length;
  const column = (at: number) => at % stride;
  const row = (at: number) => Math.floor(at / stride);
  const [x, y] = [mean(column), mean(row)];
  const away = (at: number) => Math.hypot(column(at) - x, row(at) - y);
  const deepest = part.reduce((most, at) => Math.max(most, depths[at] as number), 0);
  const deep = part.filter((at) => (depths[at] as number) >= DEEP * deepest);
  const spot = deep.reduce((best, at) => (away(at) < away(best) ? at : best));
  let top = spot;
  while (depths[top - stride]) top -= stride;
  return {
    x: box.x + sample(column(spot) - 1, box.width, step) + 0.5,
    y: box.y + sample(row(spot) - 1, box.height, step) + 0.5,
    depth: Math.min((depths[spot] as number) * step, box.width / 2, box.height / 2),
    top: box.y + (row(top) - 1) * step,
  };
}
