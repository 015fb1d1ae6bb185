"""Frames of a video file by exact index: PyAV behind one pass over the packets and a bounded cache."""

from __future__ import annotations

import operator
import os
import warnings
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import SupportsIndex

import av
import numpy as np
from av.container import InputContainer

from .frames import IMAGE_FPS, Frames, Rgb, VideoError

CACHE_BYTES = 64 * 2**20
"""Default bound on the decoded frames that a file keeps."""


class VideoFrames(Frames):
    """Frames of a video file, through one pass over its packets and a bounded cache of decoded frames.

    Reading forwards decodes every frame once. Any other frame is reached from the key frame before it. If the
    file is damaged, what can be read is the video: `len` counts that, and an index beyond it raises `VideoError`.

    Args:
        path: the file.
        cache_bytes: bound on the decoded frames that are kept; one frame is always kept.
    """

    def __init__(self, path: str | os.PathLike, *, cache_bytes: int = CACHE_BYTES) -> None:
        self._path = Path(path)
        self.name, self.sources = self._path.stem, (self._path,)
        self._lock = Lock()
        self._container = self._open()
        self._timeline = timeline = _timeline(self._container)
        if not timeline.pts:
            raise self._unreadable("it holds no complete frame")
        stream = self._container.streams.video[0]
        self.fps = float(stream.average_rate or stream.guessed_rate or IMAGE_FPS)
        self.height = self.width = 0  # known from the first frame, after rotation
        self._recent = _Recent(cache_bytes)
        self._closed = False
        self._decoder: Iterator[tuple[int, av.VideoFrame]] = iter(())
        self._last = -1  # index of the frame that the decoder produced last
        self._before = -1  # index of the last frame on the way to the one asked for
        self._read(0)
        if timeline.promised > len(timeline.pts):
            warnings.warn(f"{self._damage()}; the rest is left out", stacklevel=4)

    def __len__(self) -> int:
        return len(self._timeline.pts)

    def __getitem__(self, index: SupportsIndex) -> Rgb:
        if len(self) <= operator.index(index) < self._timeline.promised:
            raise VideoError(f"frame {index} cannot be read: {self._damage()}; copy or export the file again")
        return super().__getitem__(index)

    def close(self) -> None:
        """Close the file and drop the frames that were kept."""
        with self._lock:
            self._container.close()
            self._recent = _Recent(0)
            self._closed = True

    def _read(self, index: int) -> Rgb:
        with self._lock:
            frame = self._recent.get(index)
            return self._rgb(index, self._decode(index) if frame is None else frame)

    def _open(self) -> InputContainer:
        try:
            container = av.open(self._path)
        except av.FFmpegError as error:
            raise self._unreadable(str(error.strerror)) from None
        if not container.streams.video:
            container.close()
            raise self._unreadable("it has no video stream")
        container.streams.video[0].thread_type = "AUTO"
        return container

    def _unreadable(self, reason: str) -> VideoError:
        return VideoError(f"{self._path} cannot be read as a video: {reason}; copy or export the file again")

    def _damage(self) -> str:
        found = len(self)
        return f"{self._path} is damaged after frame {found - 1}: {found} of {self._timeline.promised} frames are there"

    def _decode(self, index: int) -> av.VideoFrame:
        """Decode forwards to a frame, from where the decoder is or from a key frame before it."""
        if self._closed:
            raise VideoError(f"{self.name!r} is closed; open it again to read frame {index}")
        pts, keys = self._timeline.pts, self._timeline.keys
        nearest = bisect_right(keys, pts[index]) - 1
        near = 0 <= self._last < index and (index == self._last + 1 or nearest < 0 or keys[nearest] <= pts[self._last])
        frame = self._forward(index) if near else None
        back = 0
        while frame is None:
            key = max(0, nearest - back)
            self._seek(key)
            frame = self._forward(index)
            if frame is None and key == 0:
                raise VideoError(f"frame {index} of {self._path} is damaged; {self._good()}")
            # Some key frames cannot be started from (open GOP, inexact seek): go back in growing steps.
            back = 2 * back + 1
        return frame

    def _good(self) -> str:
        good = f"the last good frame before it is {self._before}" if self._before >= 0 else "no frame before it is good"
        return f"{good}; copy or export the file again"

    def _seek(self, key: int) -> None:
        """Make the decoder start at a key frame; at the first one by opening the file anew, which always works."""
        self._last = -1
        if key > 0:
            stream = self._container.streams.video[0]
            with suppress(av.FFmpegError):  # then the frame is not met and an earlier key frame is tried
                self._container.seek(self._timeline.keys[key], stream=stream)
        else:
            self._container.close()
            self._container = self._open()
        self._decoder = self._decoded()

    def _decoded(self) -> Iterator[tuple[int, av.VideoFrame]]:
        """Every frame from the present position of the file, with its index."""
        count = 0
        stream = self._container.streams.video[0]
        for packet in chain(_packets(self._container), [None]):  # None: the decoder gives what it held back
            try:
                frames = stream.decode(packet)
            except av.FFmpegError:
                continue  # a damaged packet: the decoder finds its way at a later one
            for frame in frames:
                number = count if self._timeline.counted else self._timeline.numbers.get(frame.pts)
                count += 1
                if number is not None:
                    yield number, frame

    def _forward(self, index: int) -> av.VideoFrame | None:
        """Decode up to a frame; None if the decoder does not produce it."""
        self._before = -1
        for number, frame in self._decoder:
            self._last = number
            if number > index:
                return None
            # Frames on the way are kept too, so that stepping backwards does not decode them again.
            if index - number < max(1, self._recent.room):
                self._recent.put(number, frame)
            if number == index:
                return frame
            self._before = number
        self._last = -1
        return None

    def _rgb(self, number: int, frame: av.VideoFrame) -> Rgb:
        image = np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90)))
        if not self.height:
            self.height, self.width = image.shape[:2]
        if image.shape[:2] != (self.height, self.width):
            raise VideoError(
                f"frame {number} of {self._path} is {image.shape[1]} x {image.shape[0]} pixels but frame 0 is "
                f"{self.width} x {self.height}; export the video at one size"
            )
        return image


@dataclass(frozen=True)
class _Timeline:
    """When each frame of a file is shown, in units of the stream's time base.

    Attributes:
        pts: presentation timestamp of every frame, ascending: the position in it is the index of the frame.
        numbers: index of the frame by timestamp.
        keys: timestamps of the key frames, ascending; empty if timestamps cannot be trusted.
        counted: timestamps cannot be trusted, frames are counted from the start of the file.
        promised: number of frames that the file says it has.
    """

    pts: list[int]
    numbers: dict[int | None, int]
    keys: list[int]
    counted: bool
    promised: int


def _timeline(container: InputContainer) -> _Timeline:
    """Read all packets of a file once without decoding them."""
    stream = container.streams.video[0]
    packets, keys, dropped, last_dts = [], [], 0, None
    for packet in _packets(container):
        if packet.is_keyframe and packet.pts is not None:
            keys.append(packet.pts)
        if packet.is_discard or _hidden(packet, stream):
            dropped += 1
            continue
        packets.append(packet.pts)
        last_dts = packet.dts if packet.dts is not None else last_dts
    promised = max(stream.frames - dropped, len(packets))
    # AVI has no presentation timestamps: for H.264 with reordered frames the demuxer guesses wrong ones.
    guessed = container.format.name == "avi" and stream.codec_context.has_b_frames and packets == sorted(packets)
    if None in packets or len(set(packets)) < len(packets) or guessed:
        return _Timeline(list(range(len(packets))), {}, [], True, promised)
    if promised > len(packets) and last_dts is not None:
        # Decoding order runs ahead of presentation: before the last decoding time no frame can be missing.
        packets = [pts for pts in packets if pts <= last_dts]
    pts = sorted(packets)
    return _Timeline(pts, {time: i for i, time in enumerate(pts)}, sorted(keys), False, promised)


def _packets(container: InputContainer) -> Iterator[av.Packet]:
    """The packets that can be read whole; a damaged file ends early."""
    try:
        yield from (packet for packet in container.demux(video=0) if packet.size and not packet.is_corrupt)
    except av.FFmpegError:
        return


def _hidden(packet: av.Packet, stream: av.VideoStream) -> bool:
    """Whether a packet holds a VP8 reference frame that is decoded but never shown (RFC 6386, section 9.1)."""
    return stream.codec_context.name == "vp8" and not bytes(packet)[0] & 0x10


class _Recent:
    """The frames used last as the decoder gives them, mostly half as large as RGB: at most `limit` bytes, but one."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._frames: OrderedDict[int, av.VideoFrame] = OrderedDict()
        self.room = 0
        """How many frames fit; 0 until the first one has shown its size."""

    def get(self, index: int) -> av.VideoFrame | None:
        if index in self._frames:
            self._frames.move_to_end(index)
        return self._frames.get(index)

    def put(self, index: int, frame: av.VideoFrame) -> None:
        self.room = max(1, self._limit // sum(plane.buffer_size for plane in frame.planes))
        self._frames[index] = frame
        self._frames.move_to_end(index)
        while len(self._frames) > self.room:
            self._frames.popitem(last=False)
