// Pixels that have come from the kernel: kept compressed, decoded when they are about to be painted.

import { bytesOf, decodeFrame } from "./codec";
import type { FrameStatus, MaskInfo } from "./messages";

/** A map that forgets what was used longest ago once the sizes of its values exceed a budget. */
export class Lru<K, V> {
  #entries = new Map<K, V>();
  #size = 0;

  constructor(
    private readonly budget: number,
    private readonly sizeOf: (value: V) => number,
    private readonly dropped: (value: V) => void = () => {},
  ) {}

  get count(): number {
    return this.#entries.size;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  keys(): IterableIterator<K> {
    return this.#entries.keys();
  }

  values(): IterableIterator<V> {
    return this.#entries.values();
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: K, value: V): void {
    this.delete(key);
    this.#entries.set(key, value);
    this.#size += this.sizeOf(value);
    for (const oldest of this.#entries.keys()) {
      if (this.#size <= this.budget || oldest === key) break;
      this.delete(oldest);
    }
  }

  delete(key: K): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    this.#size -= this.sizeOf(value);
    this.dropped(value);
  }

  clear(): void {
    for (const key of [...this.#entries.keys()]) this.delete(key);
  }
}

const JPEG_BUDGET = 96 * 2 ** 20;
const BITMAP_BUDGET = 96 * 2 ** 20;
const MASK_BUDGET = 48 * 2 ** 20;

export class FrameCache {
  #jpegs = new Lru<number, Uint8Array<ArrayBuffer>>(JPEG_BUDGET, (jpeg) => jpeg.length);
  #bitmaps = new Lru<number, ImageBitmap>(
    BITMAP_BUDGET,
    (bitmap) => bitmap.width * bitmap.height * 4,
    (bitmap) => bitmap.close(),
  );
  #decoding = new Set<number>();

  get count(): number {
    return this.#jpegs.count;
  }

  get indices(): number[] {
    return [...this.#jpegs.keys()].sort((a, b) => a - b);
  }

  has(index: number): boolean {
    return this.#jpegs.has(index);
  }

  put(index: number, buffer: DataView): void {
    this.#bitmaps.delete(index);
    this.#jpegs.set(index, bytesOf(buffer));
  }

  /** The decoded frame, or nothing yet: then it is being decoded and `ready` is called once it is there. */
  bitmap(index: number, ready: () => void): ImageBitmap | undefined {
    const bitmap = this.#bitmaps.get(index);
    if (!bitmap && !this.#decoding.has(index)) void this.#decode(index, ready);
    return bitmap;
  }

  async #decode(index: number, ready: () => void): Promise<void> {
    const jpeg = this.#jpegs.get(index);
    if (!jpeg) return;
    this.#decoding.add(index);
    try {
      const bitmap = await decodeFrame(jpeg);
      if (this.#jpegs.get(index) === jpeg) this.#bitmaps.set(index, bitmap);
      else bitmap.close();
      ready();
    } catch {
      // Bytes that are no picture: forget them, so that the frame is asked for again.
      this.#jpegs.delete(index);
    } finally {
      this.#decoding.delete(index);
    }
  }

  clear(): void {
    this.#jpegs.clear();
    this.#bitmaps.clear();
  }
}

export interface Mask {
  frame: number;
  object: number;
  version: number;
  status: FrameStatus;
  bytes: Uint8Array<ArrayBuffer>;
  /** Painted here; the kernel has not answered yet. */
  draft?: boolean;
}

const keyOf = (frame: number, object: number): string => `${frame}:${object}`;

/** The newest mask known of every object and frame. */
export class MaskCache {
  #masks = new Lru<string, Mask>(MASK_BUDGET, (mask) => mask.bytes.length + 200);

  get count(): number {
    return this.#masks.count;
  }

  get(frame: number, object: number): Mask | undefined {
    return this.#masks.get(keyOf(frame, object));
  }

  has(frame: number, object: number): boolean {
    return this.#masks.has(keyOf(frame, object));
  }

  /** Keep a mask unless a newer one is there already; says whether it was kept. */
  put(info: MaskInfo, buffer: DataView): boolean {
    const key = keyOf(info.frame, info.object);
    const present = this.#masks.get(key);
    if (present && present.version >= info.version) return false;
    this.#masks.set(key, { ...info, bytes: bytesOf(buffer) });
    return true;
  }

  /** Show a mask that was painted here until the kernel sends a newer one. */
  draft(frame: number, object: number, bytes: Uint8Array<ArrayBuffer>): Mask {
    const version = this.get(frame, object)?.version ?? 0;
    const mask: Mask = { frame, object, version, status: "prompted", bytes, draft: true };
    this.#masks.set(keyOf(frame, object), mask);
    return mask;
  }

  get hasDrafts(): boolean {
    return [...this.#masks.values()].some((mask) => mask.draft);
  }

  /** Let go of what the kernel will not confirm; it is asked for its own masks again. */
  dropDrafts(): void {
    for (const key of [...this.#masks.keys()]) if (this.#masks.get(key)?.draft) this.#masks.delete(key);
  }

  forget(frame: number, object: number): void {
    this.#masks.delete(keyOf(frame, object));
  }

  clear(): void {
    this.#masks.clear();
  }
}
