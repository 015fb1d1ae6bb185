"""Masks as moving pictures: painted over the video (mp4, GIF), or as its alpha channel. Only written, never read."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.stream import VideoStream
from jaxtyping import UInt8
from PIL import Image

from lit_widget.video.overlay import overlay

from .format import Format
from .losses import Loss
from .mask_set import FormatError, MaskSet, Step

GIF_WIDTH = 480
"""Pixels across; wider videos are shrunk."""

GIF_FPS = 50
"""Programs show faster ones slowly."""

_ONE_THREAD: dict[str, Any] = {"threads": 1} if int(av.__version__.split(".")[0]) >= 17 else {}
"""Since PyAV 17 pixels are converted on several threads, which now and then leave a row of alpha half transparent."""

Picture = UInt8[np.ndarray, "h w c"]

_LOSES = (Loss("everything but the picture"),)


def _write_mp4(masks: MaskSet, path: Path, step: Step) -> list[str]:
    options = {"crf": "18", "preset": "veryfast"}
    _encode(masks, _painted(masks, step), path, "mp4", ("libx264", "yuv420p", options))
    return []


def _write_matte(masks: MaskSet, path: Path, step: Step) -> list[str]:
    options = {"profile": "4444", "alpha_bits": "16"}
    _encode(masks, _cut_out(masks, step), path, "mov", ("prores_ks", "yuva444p10le", options))
    return []


def _write_gif(masks: MaskSet, path: Path, step: Step) -> list[str]:
    pictures = (_shrunk(Image.fromarray(each)).quantize() for each in _painted(masks, step))
    ms = max(1000 // GIF_FPS, round(1000 / masks.fps))
    next(pictures).save(path, format="GIF", save_all=True, append_images=pictures, duration=ms, loop=0)
    return [f"frames per second beyond {GIF_FPS}"] if masks.fps > GIF_FPS else []


def _painted(masks: MaskSet, step: Step) -> Iterator[Picture]:
    """All frames with their masks."""
    assert masks.frames is not None
    for frame in range(masks.n_frames):
        step(frame, masks.n_frames)
        here = [(each.colour, masks.masks.get((frame, each.id))) for each in masks.objects]
        yield overlay(masks.frames[frame], [(colour, mask) for colour, mask in here if mask is not None])
    step(masks.n_frames, masks.n_frames)


def _cut_out(masks: MaskSet, step: Step) -> Iterator[Picture]:
    """All frames as RGBA, opaque where any object is."""
    assert masks.frames is not None
    for frame in range(masks.n_frames):
        step(frame, masks.n_frames)
        alpha = np.zeros(masks.size, dtype=np.uint8)
        for each in masks.objects:
            mask = masks.masks.get((frame, each.id))
            if mask is not None:
                alpha[mask] = 255
        yield np.dstack([masks.frames[frame], alpha])
    step(masks.n_frames, masks.n_frames)


def _encode(
    masks: MaskSet, pictures: Iterator[Picture], path: Path, container: str, codec: tuple[str, str, dict[str, str]]
) -> None:
    name, pixels, options = codec
    rate = Fraction(masks.fps).limit_denominator(1001)
    try:
        with av.open(path, "w", format=container) as file:
            stream = file.add_stream(name, rate=rate, options=options)
            assert isinstance(stream, VideoStream)
            stream.pix_fmt = pixels
            # These codecs know even sizes only.
            odd = masks.size[0] % 2, masks.size[1] % 2
            stream.height, stream.width = masks.size[0] + odd[0], masks.size[1] + odd[1]
            for each in pictures:
                even = np.pad(each, ((0, odd[0]), (0, odd[1]), (0, 0)), mode="edge")
                picture = av.VideoFrame.from_ndarray(even, format="rgba" if even.shape[2] == 4 else "rgb24")
                file.mux(stream.encode(picture.reformat(format=pixels, **_ONE_THREAD)))
            file.mux(stream.encode())
    except (av.FFmpegError, ValueError) as error:
        raise FormatError(f"the video cannot be encoded with {name}: {error}") from None


def _shrunk(image: Image.Image) -> Image.Image:
    if image.width <= GIF_WIDTH:
        return image
    return image.resize((GIF_WIDTH, max(1, round(image.height * GIF_WIDTH / image.width))))


MP4 = Format(
    "mp4", "the video with its masks painted over it, H.264", _LOSES, _write_mp4, suffix=".mp4", needs_video=True
)

GIF = Format(
    "gif",
    f"the same as an animated picture, up to {GIF_WIDTH} pixels wide",
    _LOSES,
    _write_gif,
    suffix=".gif",
    needs_video=True,
)

MATTE = Format(
    "matte",
    "the video with all objects together as its alpha channel, ProRes 4444 for compositing",
    (Loss("which object a pixel belongs to"),),
    _write_matte,
    suffix=".mov",
    needs_video=True,
)
