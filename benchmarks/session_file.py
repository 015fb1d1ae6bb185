"""What a session file costs: to open, in bytes, and per action.

python -m benchmarks.session_file --json benchmarks/results/session-file.json

The session is synthetic, of a given number of frames, objects and corrections, on grey frames: the masks are moving
ellipses of an ordinary size, which a tracker would take minutes to make. Everything from there on is the real thing.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool

from benchmarks.result import write_result
from lit_widget.core.update import UpdateConfig
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.frames import open_frames
from lit_widget.video.memory import FrameRecord, FrameStatus, MaskOutput
from lit_widget.video.models import load_model
from lit_widget.widget.codec import encode_mask
from lit_widget.widget.widget import LITWidget

HEIGHT, WIDTH = 480, 854
ACTIONS = 60


class Costs(NamedTuple):
    """Measured: seconds to open; bytes of the file and of its masks deflated alone; milliseconds per action."""

    open_s: float
    file_bytes: int
    mask_bytes: int
    first_save_s: float
    action_ms: float
    action_p90_ms: float


def ellipse(frame: int, object_id: int) -> Bool[np.ndarray, "h w"]:
    """Where an object is on a frame."""
    y, x = np.ogrid[:HEIGHT, :WIDTH]
    centre = (80 * object_id + 20 * np.sin(frame / 9), (37 * object_id * object_id + 3 * frame) % WIDTH)
    radii = 40 + 10 * np.sin(frame / 5 + object_id), 60 + 15 * np.cos(frame / 7)
    return ((y - centre[0]) / radii[0]) ** 2 + ((x - centre[1]) / radii[1]) ** 2 < 1


def settle(widget: LITWidget, item: VideoItem, status: FrameStatus) -> int:
    """Put a mask where tracking would have put it; returns its size deflated."""
    learner = widget._annotation.learner  # noqa: SLF001
    mask, side = ellipse(*item), learner.model.image_size // 4
    pointer, score = torch.randn(learner.model.pointer_length), torch.tensor([5.0])
    output = MaskOutput(torch.zeros(1, side, side), pointer, score, 0.9, given=mask)
    nothing = torch.zeros(0)
    record = FrameRecord(output, nothing, nothing, status, conditioning=status == "prompted")
    learner.bank(item.object).records[item.frame] = record
    return len(encode_mask(mask))


def measure(folder: Path, n_frames: int, n_objects: int, n_corrections: int) -> Costs:
    """Write a session, act on it, and open it again."""
    video = np.zeros((1, HEIGHT, WIDTH, 3), np.uint8)
    frames = np.broadcast_to(video, (n_frames, HEIGHT, WIDTH, 3))
    model, path = load_model("pocket", device="cpu"), folder / "clip.lit"
    widget = LITWidget(open_frames(frames), model=model, session=path, update=UpdateConfig(epochs=1))
    for _ in range(n_objects - 1):
        widget.add_object()
    every = max(1, n_frames * n_objects // n_corrections)
    mask_bytes = 0
    for count, (frame, object_id) in enumerate(np.ndindex(n_frames, n_objects)):
        status = "prompted" if frame == 0 else "corrected" if count % every == 0 else "tracked"
        mask_bytes += settle(widget, VideoItem(frame, object_id + 1), status)
    recorder = widget._recorder  # noqa: SLF001
    assert recorder is not None
    for count in range(n_corrections):
        recorder.note("correct", VideoItem(count * every // n_objects, 1), 1.0, clicks=3)
    started = time.perf_counter()
    recorder.save()
    first_save = time.perf_counter() - started
    taken = []
    for action in range(ACTIONS):
        # What one verdict changes: a mask, its journal entry, and the state.
        settle(widget, VideoItem(1 + action, 1), "accepted")
        recorder.note("accept", VideoItem(1 + action, 1), 0.0, source="adapter")
        started = time.perf_counter()
        recorder.save()
        taken.append(1000 * (time.perf_counter() - started))
    widget.close()
    size = path.stat().st_size
    started = time.perf_counter()
    again = LITWidget.open(path, open_frames(frames), model=model)
    open_s = time.perf_counter() - started
    records = sum(len(bank.records) for bank in again._annotation.learner.banks.values())  # noqa: SLF001
    assert records == n_frames * n_objects
    again.close()
    return Costs(open_s, size, mask_bytes, first_save, statistics.median(taken), float(np.quantile(taken, 0.9)))


def main() -> None:
    """One row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--objects", type=int, default=5)
    parser.add_argument("--corrections", type=int, default=200)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        costs = measure(Path(name), arguments.frames, arguments.objects, arguments.corrections)
    print(
        f"opens in {costs.open_s:.2f} s; {costs.file_bytes / costs.mask_bytes:.2f} times its masks deflated "
        f"({costs.file_bytes / 2**20:.1f} MiB); {costs.action_ms:.1f} ms per action, p90 {costs.action_p90_ms:.1f} ms; "
        f"all at once {costs.first_save_s:.1f} s"
    )
    if arguments.json:
        settings = {name: getattr(arguments, name) for name in ("frames", "objects", "corrections")} | {"sources": []}
        write_result(arguments.json, "session-file", settings, {"costs": pd.DataFrame([costs._asdict()])})


if __name__ == "__main__":
    main()
