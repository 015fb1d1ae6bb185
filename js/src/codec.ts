// Bytes from the kernel to pictures and bits.

/** The bytes of a buffer alone: a view may sit anywhere in a message's memory. */
export function bytesOf(view: DataView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength).slice();
}

export function decodeFrame(jpeg: Uint8Array<ArrayBuffer>): Promise<ImageBitmap> {
  return createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
}

async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

/** What `decodeMask` reads, from one byte per pixel. */
export function encodeMask(bits: Uint8Array): Promise<ArrayBuffer> {
  const packed = new Uint8Array(Math.ceil(bits.length / 8));
  for (let i = 0; i < bits.length; i++)
    if (bits[i]) packed[i >> 3] = (packed[i >> 3] as number) | (128 >> (i & 7));
  return deflate(packed);
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** One byte per pixel, 0 or 1, from zlib of packed bits; rows follow each other without padding. */
export async function decodeMask(
  bytes: Uint8Array<ArrayBuffer>,
  width: number,
  height: number,
): Promise<Uint8Array> {
  const packed = await inflate(bytes);
  const n = width * height;
  if (packed.length !== Math.ceil(n / 8)) {
    throw new RangeError(`mask of ${packed.length} bytes does not fit ${width}×${height} pixels`);
  }
  const pixels = new Uint8Array(n);
  for (let i = 0; i < n; i++) pixels[i] = ((packed[i >> 3] as number) >> (7 - (i & 7))) & 1;
  return pixels;
}
