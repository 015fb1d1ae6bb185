"""Pixels on the wire: frames as JPEG, masks as compressed bits."""

from __future__ import annotations

import io
import zlib

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from .messages import MessageError

JPEG_QUALITY = 80
PREVIEW_WIDTH = 320
"""Pixels across of the picture that is saved with the notebook."""


def encode_jpeg(frame: UInt8[np.ndarray, "h w 3"], *, max_width: int | None = None) -> bytes:
    """A frame as JPEG, shrunk to `max_width` pixels across if it is wider."""
    image = Image.fromarray(frame)
    if max_width is not None and image.width > max_width:
        image = image.resize((max_width, max(1, round(image.height * max_width / image.width))))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def encode_mask(mask: Bool[np.ndarray, "h w"]) -> bytes:
    """A mask as one bit per pixel without row padding, compressed with zlib."""
    return zlib.compress(np.packbits(mask).tobytes(), 1)


def decode_mask(data: bytes | memoryview, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """A mask of (height, width) pixels from what `encode_mask` writes, never inflating more than it may hold.

    Raises:
        MessageError: if it is damaged or of another size.
    """
    n_bytes = (size[0] * size[1] + 7) // 8
    inflater = zlib.decompressobj()
    try:
        packed = inflater.decompress(data, n_bytes + 1)
    except zlib.error:
        raise MessageError("the mask is not zlib data") from None
    if len(packed) != n_bytes or not inflater.eof:
        raise MessageError(f"the mask does not fit {size[1]}×{size[0]} pixels, which are {n_bytes} bytes of bits")
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=size[0] * size[1]).reshape(size).astype(bool)
