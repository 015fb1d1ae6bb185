"""From running a cell to the first frame, and from the first click to its mask, each in a new process.

*At once* clicks as soon as the frame is there; *after a look* the user takes some seconds, in which it is encoded.
SAM 2.1-T has random weights: times do not depend on them.

python -m benchmarks.first_contact --json benchmarks/results/first-contact.json
"""

from __future__ import annotations

import argparse
import multiprocessing
import subprocess
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.cpu_tracking import random_model
from benchmarks.result import write_result
from lit_widget import LITWidget
from lit_widget.widget.messages import PROTOCOL

LOOK_S = {"pocket": 3.0, "sam2.1-tiny": 8.0}
"""Of each model, how long the user looks before the click; encoding a frame takes less."""
REPEATS, THREADS = 2, 2


def contact(model: str, look_s: float, told: Connection) -> None:
    """Open a video of 720p in a process of its own, look at it and click; sends the seconds of each step."""
    frames = np.random.default_rng(0).integers(0, 255, (24, 720, 1280, 3), dtype=np.uint8)
    torch.set_num_threads(THREADS)
    loaded = model if model == "pocket" else random_model()
    started = time.perf_counter()
    widget = LITWidget(frames, model=loaded)
    arrived = {"frames": threading.Event(), "masks": threading.Event()}
    widget._outbox._send = lambda message, _: arrived.get(message["type"], threading.Event()).set()  # noqa: SLF001
    view = [{"type": "hello", "protocol": PROTOCOL}, {"type": "requestFrames", "indices": [0]}]
    for message in view:
        widget._receive(None, message, [])  # noqa: SLF001
    arrived["frames"].wait()
    seconds = {"cell_to_frame_s": time.perf_counter() - started}
    time.sleep(look_s)
    arrived["masks"].clear()
    started = time.perf_counter()
    click = {"type": "click", "frame": 0, "object": 1, "x": 640.0, "y": 360.0, "positive": True}
    widget._receive(None, click, [])  # noqa: SLF001
    arrived["masks"].wait()
    seconds["click_to_mask_s"] = time.perf_counter() - started
    told.send(seconds)
    widget.close()


def importing() -> float:
    """Seconds that the import takes in a process that has imported nothing yet."""
    timed = "import time; s = time.perf_counter(); from lit_widget import LITWidget; print(time.perf_counter() - s)"
    done = subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True)  # noqa: S603
    return float(done.stdout)


def main() -> None:
    """One row per model, way and repeat."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    imports = [importing() for _ in range(REPEATS)]
    rows: list[dict[str, Any]] = []
    for model, look in LOOK_S.items():
        for way, look_s in {"at once": 0.0, "after a look": look}.items():
            for number in range(REPEATS):
                heard, told = context.Pipe(duplex=False)
                process = context.Process(target=contact, args=(model, look_s, told))
                process.start()
                rows.append(
                    {"model": model, "click": way, "round": number, "import_s": imports[number], **heard.recv()}
                )
                process.join()
                print(rows[-1], flush=True)
    if given.json:
        settings = {"sources": [], "size": [720, 1280], "threads": THREADS, "look_s": LOOK_S}
        write_result(given.json, "first-contact", settings, {"contacts": pd.DataFrame(rows)})


if __name__ == "__main__":
    main()
