"""What a session file costs and survives: opening, size, autosave, kills, mutations.

python -m benchmarks.session_file --json benchmarks/results/session-file.json
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.result import write_result
from lit_widget import LITWidget, embedded_clip
from lit_widget.core.strategy import LitLora
from lit_widget.core.update import UpdateConfig
from lit_widget.video.frames import ImageFrames
from lit_widget.video.learner import VideoLearner
from lit_widget.video.memory import FrameRecord, MaskOutput
from lit_widget.video.models import load_model
from lit_widget.video.strategies import learner_for
from lit_widget.widget.annotation import Annotation
from lit_widget.widget.store import SessionFile, SessionFileError, find_video, read, restore
from lit_widget.widget.store.doctor import examine

FRAMES, OBJECTS, CORRECTIONS = 2000, 5, 200
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
    for frame in range(FRAMES):
        for each in annotation.names:
            centre = 100 + 60 * each + 40 * np.sin(frame / 40), 150 + 120 * each + 60 * np.cos(frame / 60)
            mask = np.hypot(rows - centre[0], columns - centre[1]) + np.roll(wobble, frame, 1) < 50
            deflated += len(zlib.compress(np.packbits(mask).tobytes(), 1))
            output = MaskOutput(torch.zeros(1, 64, 64), torch.randn(length), torch.ones(1), 0.9, given=mask)
            status = "corrected" if frame % (FRAMES * OBJECTS // CORRECTIONS) == each else "tracked"
            record = FrameRecord(output, torch.zeros(1), torch.zeros(1), status, conditioning=status == "corrected")
            learner.bank(each).records[frame] = record
        started = time.perf_counter()
        annotation.save()
        spent.append(1000 * (time.perf_counter() - started) / OBJECTS)
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
    }


def accepting(path: Path, told: int) -> None:
    """Accept proposal after proposal, and say so through a pipe."""
    made = embedded_clip("union", 0, frames=8)
    widget = LITWidget(made.frames, session=path, strategy="previous-mask", update=FEW)
    widget.give_mask(0, made.target[0])
    widget.track()
    widget.wait()
    for turn in range(10_000):
        frame = 1 + turn % 7
        if frame in widget.accepted:
            widget.undo()
            widget.undo()
            os.write(told, b"\n")
        widget.flag(frame)
        widget.accept()
        widget.wait()
        os.write(told, bytes([frame]))


def killed(path: Path, after_s: float) -> int:
    """Kill such a process after some time; returns how many verdicts it had told, all of which must be there."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        accepting(path, writing)
    os.close(writing)
    told = [os.read(reading, 1)]
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while piece := os.read(reading, 4096):
        told.append(piece)
    os.close(reading)
    verdicts = b"".join(told)
    accepted = set(verdicts.rpartition(b"\n")[2])
    assert examine(path) == []
    widget = LITWidget.open(path, embedded_clip("union", 0, frames=8).frames)
    assert accepted <= set(widget.accepted), f"{accepted} were accepted, {widget.accepted} are there"
    widget.close()
    return len(verdicts)


def refused(source: Path, path: Path, seed: int) -> bool:
    """Open a file with bytes changed at random: whether it was refused with a sentence; else all its masks are read."""
    data, draw = bytearray(source.read_bytes()), random.Random(seed)
    for _ in range(draw.choice((1, 1, 4, 64))):
        data[draw.randrange(len(data))] = draw.randrange(256)
    if draw.random() < 0.1:
        del data[draw.randrange(len(data)) :]
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    path.write_bytes(data)
    try:
        file = SessionFile(path, new=False)
    except SessionFileError:
        return True
    try:
        frames = find_video(read(file), path.parent, embedded_clip("union", 0, frames=8).frames)
        learner = learner_for(LitLora(), load_model("pocket", device="cpu"), frames, seed=1)
        annotation = Annotation(learner, LitLora(), lambda *_: None)
        restore(file, annotation)
        for bank in learner.banks.values():
            for record in bank.records.values():
                learner.mask(record.output)
    except ValueError:
        return True
    finally:
        file.close()
    return False


def main() -> None:
    """Run all; any lost verdict or traceback ends it with an error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--mutations", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    draw = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        # Before any thread is there, because a fork takes only the one that calls it.
        told = [killed(place / f"{kill}.lit", draw.uniform(0.0, 1.5)) for kill in range(arguments.kills)]
        print(f"{arguments.kills} kills, {sum(told)} verdicts told, none lost")
        source = next(place.glob("*.lit"))
        outcomes = [refused(source, place / "mutated", seed) for seed in range(arguments.mutations)]
        print(f"{arguments.mutations} mutations: {sum(outcomes)} refused with a sentence, the rest opened")
        costs = long_session(place / "long.lit")
    row = {**costs, "kills": arguments.kills, "verdicts": sum(told), "mutations": arguments.mutations}
    row["refused"] = sum(outcomes)
    print(row)
    if arguments.json:
        settings = {"sources": [], "frames": FRAMES, "objects": OBJECTS, "corrections": CORRECTIONS, "size": list(SIZE)}
        write_result(arguments.json, "session-file", settings, {"costs": pd.DataFrame([row])})


if __name__ == "__main__":
    main()
