"""Session files under attack: processes killed at random moments, and files with bytes changed at random.

python -m benchmarks.session_kills --kills 100 --mutations 10000 --json benchmarks/results/session-kills.json
"""

from __future__ import annotations

import argparse
import os
import random
import select
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pandas as pd
import torch

from benchmarks.result import write_result
from lit_widget.core.update import UpdateConfig
from lit_widget.video.frames import open_frames
from lit_widget.video.learner import VideoLearner
from lit_widget.video.models import load_model
from lit_widget.video.pocket.clips import embedded_clip
from lit_widget.video.sam2 import Sam2
from lit_widget.video.strategies import STRATEGIES, learner_for
from lit_widget.widget.annotation import Annotation
from lit_widget.widget.store import SessionFile, SessionFileError, find_video, read, restore
from lit_widget.widget.widget import LITWidget

FRAMES = 8
STRATEGY = "previous-mask"
"""Proposes without having learned, so that a killed session holds as many verdicts as possible."""

LONGEST_S = 1.5
"""Until a process is killed at the latest, counted from its start or from its first verdict."""

FROM_THE_START = 0.25
"""Share of the kills whose moment is counted from the start, so that making the file is hit, too."""

CLIP = embedded_clip("union", 0, frames=FRAMES)


def annotate(path: Path, told: int) -> None:
    """Accept, correct and undo without end; `told` gets a line whenever a view hears of a verdict."""
    widget = LITWidget(CLIP.frames, session=path, strategy=STRATEGY, update=UpdateConfig(epochs=1))

    def hear(message: dict, _: object) -> None:
        if message["type"] == "masks":
            for info in message["items"]:
                if info["status"] == "accepted":
                    os.write(told, f"accepted {info['frame']}\n".encode())

    widget._outbox._send = hear  # noqa: SLF001
    widget.give_mask(0, CLIP.target[0])
    widget.track()
    widget.wait()
    for turn in range(10_000):
        frame = 1 + turn % (FRAMES - 1)
        if frame in widget.accepted:
            # Undo takes back the latest verdict, whichever that is; none of them is promised from here on.
            os.write(told, b"undo\n")
            widget.undo()
            widget.wait()
            continue
        widget.flag(frame)
        widget.accept()
        widget.wait()


def killed(path: Path, after: float, *, begun: bool) -> set[int]:
    """Frames whose acceptance a view had heard of when the process was killed, `after` seconds from when it `begun`."""
    reading, writing = os.pipe()
    # A forked process has the model loaded already, so that the moment falls into the session and not before.
    child = os.fork()
    if child == 0:
        try:
            annotate(path, writing)
        finally:
            os._exit(1)
    os.close(writing)
    if begun:
        select.select([reading], [], [], 60)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    with os.fdopen(reading) as lines:
        told = lines.read().split("\n")
    os.waitpid(child, 0)
    since_undo = told[len(told) - told[::-1].index("undo") :] if "undo" in told else told
    return {int(line.split()[1]) for line in since_undo if line.startswith("accepted ")}


@cache
def model() -> Sam2:
    """The bundled model, loaded once."""
    return load_model("pocket", device="cpu")


def opened(path: Path) -> Annotation:
    """What a file holds, every mask inflated.

    Raises:
        SessionFileError: if it is refused.
    """
    file = SessionFile(path, new=False)
    try:
        frames = find_video(read(file), path.parent, CLIP.frames)
        strategy = STRATEGIES[STRATEGY]
        learner: VideoLearner = learner_for(strategy, model(), frames, seed=1)
        annotation = Annotation(learner, strategy, lambda *_: None)
        restore(file, annotation)
        for bank in learner.banks.values():
            for record in bank.records.values():
                learner.mask(record.output)
        return annotation
    finally:
        file.close()


def kills(folder: Path, times: int, seed: int) -> Iterator[tuple[str, int]]:
    """What became of the file of each killed process, and how many verdicts a view had heard of."""
    draw = random.Random(seed)
    for kill in range(times):
        path = folder / f"{kill}.lit"
        promised = killed(path, draw.uniform(0.0, LONGEST_S), begun=draw.random() > FROM_THE_START)
        if not path.exists():
            yield "killed before there was a file", len(promised)
            continue
        try:
            held = opened(path).learner.bank(1).records
        except SessionFileError as error:
            yield f"DOES NOT OPEN: {str(error).replace(str(path), 'FILE')}", len(promised)
            continue
        lost = {frame for frame in promised if frame not in held or held[frame].status != "accepted"}
        yield (f"LOST {len(lost)} verdicts" if lost else "opens with every verdict"), len(promised)


def mutations(source: Path, times: int, seed: int) -> Iterator[str]:
    """What became of each file with bytes changed; whatever is neither a sentence nor works is named."""
    whole, draw = source.read_bytes(), random.Random(seed)
    path = source.with_name("mutated.lit")
    for _ in range(times):
        data = bytearray(whole)
        for _ in range(draw.choice((1, 1, 4, 64))):
            data[draw.randrange(len(data))] = draw.randrange(256)
        if draw.random() < 0.1:
            del data[draw.randrange(len(data)) :]
        path.write_bytes(data)
        started = time.perf_counter()
        try:
            opened(path)
            outcome = "works"
        except SessionFileError as error:
            outcome = "refused: damaged or no session file" if "damaged" in str(error) else f"refused: {error}"
            outcome = outcome.replace(str(path), "FILE")
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            outcome = f"TRACEBACK: {type(error).__name__}: {str(error)[:80]}"
        yield "TOOK LONGER THAN 5 s" if time.perf_counter() - started > 5 else outcome
        for suffix in ("-wal", "-shm", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


def main() -> None:
    """Counts of what became of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--mutations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    # A forked process has none of torch's threads.
    torch.set_num_threads(1)
    model().encode(open_frames(CLIP.frames)[0])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ends = list(kills(folder, arguments.kills, arguments.seed))
        after_kill, promised = Counter(outcome for outcome, _ in ends), sum(count for _, count in ends)
        if promised == 0:
            raise SystemExit("no process was killed after a verdict, so nothing was tested; kill more of them")
        print(f"verdicts that a view had heard of before the kill: {promised}", flush=True)
        source = max(folder.glob("*.lit"), key=lambda path: path.stat().st_size)
        opened(source)  # unchanged it must open, or the changes would not be what is tested
        after_change = Counter(mutations(source, arguments.mutations, arguments.seed))
    rows = {
        table: [{"outcome": outcome, "files": count} for outcome, count in counted.most_common()]
        for table, counted in (("kills", after_kill), ("mutations", after_change))
    }
    for table, outcomes in rows.items():
        for row in outcomes:
            print(f"{table}: {row['files']:6d} {row['outcome']}", flush=True)
    if arguments.json:
        settings = {"kills": arguments.kills, "mutations": arguments.mutations, "seed": arguments.seed}
        settings |= {"sources": ["embedded:union:0"], "verdicts": promised}
        tables = {table: pd.DataFrame(outcomes) for table, outcomes in rows.items()}
        write_result(arguments.json, "session-kills", settings, tables)


if __name__ == "__main__":
    main()
