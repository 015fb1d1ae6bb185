"""What a session file of a long video costs: opening, size, autosave.

python -m benchmarks.session_file --json benchmarks/results/session-file.json
"""

from __future__ import annotations

import argparse
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.result import write_result
from lit_widget import LITWidget
from lit_widget.core.update import UpdateConfig
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.frames import ImageFrames
from lit_widget.video.learner import VideoLearner
from lit_widget.video.memory import FrameRecord, FrameStatus, MaskOutput

FRAMES, OBJECTS, CORRECTIONS = 2000, 5, 200
AGAIN = 20
"""Masks that are tracked over again after a correction."""

SIZE = (480, 854)
FEW = UpdateConfig(epochs=1)


def long_session(path: Path) -> dict[str, float]:
    """Write a session of many frames through the widget's own recorder, open it again, and time both."""
    blank = np.zeros((*SIZE, 3), np.uint8)
    frames = ImageFrames([blank] * FRAMES, name="long")
    widget = LITWidget(frames, session=path, update=FEW)
    annotation = widget._annotation  # noqa: SLF001
    learner: VideoLearner = annotation.learner
    for _ in range(OBJECTS - 1):
        widget.add_object()
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    draw = np.random.default_rng(0)
    wobble = draw.normal(0, 3, SIZE)
    deflated, spent, length = 0, [], learner.model.pointer_length

    def draw_mask(frame: int, each: int, wobble: np.ndarray) -> np.ndarray:
        centre = 100 + 60 * each + 40 * np.sin(frame / 40), 150 + 120 * each + 60 * np.cos(frame / 60)
        return np.hypot(rows - centre[0], columns - centre[1]) + np.roll(wobble, frame, 1) < 50

    def record(mask: np.ndarray, status: FrameStatus) -> FrameRecord:
        output = MaskOutput(torch.zeros(1, 64, 64), torch.randn(length), torch.ones(1), 0.9, given=mask)
        return FrameRecord(output, torch.zeros(1), torch.zeros(1), status, conditioning=status == "corrected")

    for frame in range(FRAMES):
        corrected = frame % (FRAMES * OBJECTS // CORRECTIONS)
        if corrected in annotation.names:
            annotation.session.checkpoint()
            adapter, item = learner.adapters.get(corrected), VideoItem(frame, corrected)
            adapter.version, adapter.learned_from = adapter.version + 1, (*adapter.learned_from, item)
        for each in annotation.names:
            mask = draw_mask(frame, each, wobble)
            deflated += len(zlib.compress(np.packbits(mask).tobytes(), 1))
            learner.bank(each).records[frame] = record(mask, "corrected" if corrected == each else "tracked")
        started = time.perf_counter()
        annotation.save()
        spent.append(1000 * (time.perf_counter() - started))
        if corrected in annotation.names:
            # A correction is tracked on from, over masks that undo brings back.
            for back in range(max(0, frame - AGAIN), frame):
                learner.bank(corrected).records[back] = record(draw_mask(back, corrected, wobble), "tracked")
            annotation.save()
    widget.close()
    started = time.perf_counter()
    again = LITWidget.open(path, frames)
    opened = time.perf_counter() - started
    assert sum(len(bank.records) for bank in again._annotation.learner.banks.values()) == FRAMES * OBJECTS  # noqa: SLF001
    again.close()
    return {
        "open_s": opened,
        "autosave_ms": float(np.median(spent)),
        "size_by_masks": path.stat().st_size / deflated,
        "megabytes": path.stat().st_size / 2**20,
        "undo_steps": len(again._annotation.session.history.states[0]),  # noqa: SLF001
    }


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        costs = long_session(Path(folder) / "long.lit")
    print(costs)
    if arguments.json:
        settings = {"sources": [], "frames": FRAMES, "objects": OBJECTS, "corrections": CORRECTIONS, "size": list(SIZE)}
        write_result(arguments.json, "session-file", settings, {"costs": pd.DataFrame([costs])})


if __name__ == "__main__":
    main()
