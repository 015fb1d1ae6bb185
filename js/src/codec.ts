// Bytes from the kernel to pictures and bits.

/** The bytes of a buffer alone: a view may sit anywhere in a message's memory. */
export function bytesOf(view: DataView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength).slice();
}

export function decodeFrame(jpeg: Uint8Array<ArrayBuffer>): Promise<ImageBitmap> {
  return createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
}

/** All bytes through a stream; written and read directly, which is several times faster than by `Response`. */
async function through(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const writer = stream.writable.getWriter();
  // What is wrong with the bytes is told by the reading side.
  Promise.all([writer.write(bytes), writer.close()]).catch(() => {});
  const reader = stream.readable.getReader();
  const parts: Uint8Array[] = [];
  for (let part = await reader.read(); !part.done; part = await reader.read()) parts.push(part.value);
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What `decodeMask` reads, from one byte per pixel. */
export async function encodeMask(bits: Uint8Array): Promise<ArrayBuffer> {
  const packed = new Uint8Array(Math.ceil(bits.length / 8));
  for (let i = 0; i < bits.length; i++)
    if (bits[i]) packed[i >> 3] = (packed[i >> 3] as number) | (128 >> (i & 7));
  return (await through(packed, new CompressionStream("deflate"))).buffer;
}

/** The packed bits of a mask. */
export async function inflateMask(
  bytes: Uint8Array<ArrayBuffer>,
  width: number,
  height: number,
): Promise<Uint8Array> {
  const packed = await through(bytes, new DecompressionStream("deflate"));
  if (packed.length !== Math.ceil((width * height) / 8)) {
    throw new RangeError(`mask of ${packed.length} bytes does not fit ${width}×${height} pixels`);
  }
  return packed;
}

/** Packed bits as one byte per pixel, 0 or 1, written over what `pixels` held. */
export function unpackBits(packed: Uint8Array, pixels: Uint8Array): Uint8Array {
  pixels.fill(0);
  for (let i = 0; i < packed.length; i++) {
    // Most of a frame is all in or all out.
    const byte = packed[i] as number;
    if (byte === 0) continue;
    if (byte === 255) pixels.fill(1, 8 * i, 8 * i + 8);
    else for (let bit = 0; bit < 8; bit++) pixels[8 * i + bit] = (byte >> (7 - bit)) & 1;
  }
  return pixels;
}

/** One byte per pixel, 0 or 1, from zlib of packed bits; rows follow each other without padding. */
export async function decodeMask(
  bytes: Uint8Array<ArrayBuffer>,
  width: number,
  height: number,
): Promise<Uint8Array> {
  return unpackBits(await inflateMask(bytes, width, height), new Uint8Array(width * height));
}
