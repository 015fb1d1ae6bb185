// Drawing into the bits of a mask: one byte per pixel, 0 or 1. Pixel `i` covers `i` to `i + 1`.

import { clamp, type Point, type Size } from "./geometry";

/** Set every pixel whose centre lies within `radius` of a line through the points. */
export function strokeBits(
  bits: Uint8Array,
  size: Size,
  points: Point[],
  radius: number,
  value: 0 | 1,
): void {
  points.forEach((to, i) => {
    const from = points[Math.max(0, i - 1)] as Point;
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const length = dx * dx + dy * dy;
    const near = (x: number, y: number): boolean => {
      const along = length > 0 ? clamp(((x - from.x) * dx + (y - from.y) * dy) / length, 0, 1) : 0;
      return (x - from.x - along * dx) ** 2 + (y - from.y - along * dy) ** 2 <= radius * radius;
    };
    const top = clamp(Math.floor(Math.min(from.y, to.y) - radius), 0, size.height);
    const bottom = clamp(Math.ceil(Math.max(from.y, to.y) + radius), 0, size.height);
    const left = clamp(Math.floor(Math.min(from.x, to.x) - radius), 0, size.width);
    const right = clamp(Math.ceil(Math.max(from.x, to.x) + radius), 0, size.width);
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) if (near(x + 0.5, y + 0.5)) bits[y * size.width + x] = value;
    }
  });
}

/** Set every pixel whose centre lies inside a closed polygon, by the even-odd rule. */
export function fillBits(bits: Uint8Array, size: Size, corners: Point[], value: 0 | 1): void {
  for (let y = 0; y < size.height; y++) {
    const middle = y + 0.5;
    const crossings: number[] = [];
    corners.forEach((to, i) => {
      const from = corners.at(i - 1) as Point;
      if (from.y <= middle === to.y <= middle) return;
      crossings.push(from.x + ((middle - from.y) / (to.y - from.y)) * (to.x - from.x));
    });
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const first = clamp(Math.ceil((crossings[i] as number) - 0.5), 0, size.width);
      const end = clamp(Math.ceil((crossings[i + 1] as number) - 0.5), 0, size.width);
      bits.fill(value, y * size.width + first, y * size.width + end);
    }
  }
}
