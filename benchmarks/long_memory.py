"""A long video in the kernel: how much memory it takes, and whether a late frame costs more than an early one.

python -m benchmarks.long_memory --json benchmarks/results/long-memory.json

The real widget with the bundled model opens an MP4 of 3,000 frames of 1920 x 1080 pixels in a process of its own and
tracks one object to its end, a hundred frames at a time. Memory is the most that the process ever had, Python, torch
and the model included.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
import torch
from PIL import Image

from benchmarks.result import write_result
from lit_widget import LITWidget, embedded_clip

SIZE, CLIP_FRAMES, STEP = (1920, 1080), 48, 100


def write_video(path: Path, n_frames: int) -> np.ndarray:
    """Write an embedded clip to and fro; returns the target's mask on its first frame."""
    clip = embedded_clip("easy", 0, frames=CLIP_FRAMES)
    frames = [np.asarray(Image.fromarray(frame).resize(SIZE)) for frame in clip.frames]
    there_and_back = [*frames, *frames[::-1]]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"crf": "23", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for index in range(n_frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(there_and_back[index % len(there_and_back)])))
        container.mux(stream.encode())
    return np.asarray(Image.fromarray(clip.target[0]).resize(SIZE))


def track(path: Path, mask: np.ndarray, n_frames: int, told: Connection) -> None:
    """Track in a process of its own; sends a row per hundred frames, and a last one once the widget is closed."""
    torch.set_num_threads(1)
    told.send({"frames": 0, "seconds": 0.0, "peak_mb": _peak_mb(), "now_mb": _now_mb()})
    widget = LITWidget(path)
    widget.give_mask(0, mask)
    widget.wait()
    for stop in range(STEP, n_frames + 1, STEP):
        started = time.perf_counter()
        widget.track(stop - STEP, stop=stop - 1)
        widget.wait()
        told.send(
            {"frames": stop, "seconds": time.perf_counter() - started, "peak_mb": _peak_mb(), "now_mb": _now_mb()}
        )
    shown = [mask.any() for frame in range(0, n_frames, STEP) if (mask := widget.mask(frame)) is not None]
    widget.close()
    told.send({"masks_seen": int(sum(shown)), "closed_mb": _now_mb()})


def _peak_mb() -> float:
    return _status("VmHWM")  # `ru_maxrss` would begin with the most that the parent had


def _now_mb() -> float:
    return _status("VmRSS")


def _status(name: str) -> float:
    """An entry of the kernel's own account of this process, in MB of a million bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024 / 1e6


def main() -> None:
    """One row per hundred frames."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=3000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.mp4"
        mask = write_video(path, given.frames)
        heard, told = multiprocessing.get_context("spawn").Pipe(duplex=False)
        process = multiprocessing.get_context("spawn").Process(target=track, args=(path, mask, given.frames, told))
        process.start()
        while "closed_mb" not in (row := heard.recv()):
            rows.append(row)
            print(*(f"{key} {value:.1f}" for key, value in row.items()), flush=True)
        process.join()
    print(row)
    if given.json:
        settings = {"sources": [], "model": "pocket", "size": list(SIZE), "frames": given.frames, "threads": 1, **row}
        write_result(given.json, "long-memory", settings, {"rows": pd.DataFrame(rows)})


if __name__ == "__main__":
    main()
