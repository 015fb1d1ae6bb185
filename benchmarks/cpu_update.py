"""A whole update on a CPU, at the shapes of SAM 2.1 large, beside a plain LoRA trainer and what the CPU could do.

python -m benchmarks.cpu_update --json benchmarks/results/cpu-update.json

Both run in processes of their own, which take turns: neither leaves the other a heap or threads, and what else the
machine does hits both. Weights are random, since times do not depend on them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.reference import ReferenceTrainer
from benchmarks.result import write_result
from lit_widget.core.adapter import Adapter
from lit_widget.core.recipes import Lora
from lit_widget.core.update import UpdateConfig, online_update
from lit_widget.video.adaptation import Evidence, MaskTarget, Sample, TrainingPass
from lit_widget.video.backbones import build_backbone, official_config
from lit_widget.video.quirks import Quirks
from lit_widget.video.sam2 import FrameFeatures, Sam2

EPOCHS = 40
THREADS = 2
PAIRS = 5
BUDGET_S = 140
"""No pair of updates begins later than this."""

Update = Callable[[int], None]
"""An update of so many epochs."""


# --- The two ----------------------------------------------------------------------------------------------------------


def made(how: str) -> Update:
    """An update as the reference or the library does it; the decoder is the same in all sizes of SAM 2.1."""
    torch.manual_seed(0)
    model = Sam2(build_backbone(official_config("sam2.1", "t")), "sam2.1-tiny")
    random = torch.randn
    features = FrameFeatures(
        random(1, 256, 64, 64), random(1, 256, 64, 64), (random(1, 32, 256, 256), random(1, 64, 128, 128))
    )
    fused, mask = random(1, 256, 64, 64), np.zeros((480, 854), dtype=bool)
    mask[100:300, 20:200] = True
    if how == "reference":
        return reference(model, fused, features, mask)
    return library(model, Sample(Evidence(fused, features), MaskTarget(mask)))


def reference(model: Sam2, fused: Tensor, features: FrameFeatures, mask: np.ndarray) -> Update:
    """The plain trainer."""
    trainer, target = ReferenceTrainer(model.module), model.square(mask)

    def update(epochs: int) -> None:
        trainer.update(fused, features, target, epochs=epochs)

    return update


def library(model: Sam2, sample: Sample) -> Update:
    """The library's update, without its early stop, and with all that it prepares."""
    adapter = Adapter(model.decoder, Lora(), seed=0)

    def update(epochs: int) -> None:
        config = UpdateConfig(epochs=epochs, patience=epochs, hopeless=epochs)
        with adapter.training() as parameters:
            passes = [TrainingPass(model, adapter, sample, Quirks())]
            report = online_update(parameters, passes, config, version=1)
        assert len(report.losses) == epochs

    return update


# --- Counting ---------------------------------------------------------------------------------------------------------


class Traffic(TorchDispatchMode):
    """Counts the bytes that every operation has as inputs and outputs, as if there were no cache."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if not func.is_view:
            self.bytes += sum(_bytes(each) for each in (*args, *(kwargs or {}).values(), result))
        return result


def _bytes(value: Any) -> int:
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    return sum(_bytes(each) for each in value) if isinstance(value, (list, tuple)) else 0


def counted(update: Update) -> dict[str, float]:
    """Operations and bytes of one epoch, as what two epochs have more than one."""
    flops, traffic = [], []
    for epochs in (1, 2):
        with FlopCounterMode(display=False) as counter, Traffic() as bytes_of:
            update(epochs)
        flops.append(counter.get_total_flops())
        traffic.append(bytes_of.bytes)
    return {"gflop": (flops[1] - flops[0]) / 1e9, "gbyte": (traffic[1] - traffic[0]) / 1e9}


def machine() -> dict[str, float]:
    """The best that a large matrix product and a large copy reach: Gflop/s, and GB/s read and written."""
    matrix, large = torch.randn(1536, 1536), torch.randn(1 << 25)
    copy, product = torch.empty_like(large), torch.empty_like(matrix)
    multiply = min(_seconds(lambda: torch.mm(matrix, matrix, out=product)) for _ in range(8))
    move = min(_seconds(lambda: copy.copy_(large)) for _ in range(8))
    return {"gflops": 2 * 1536**3 / multiply / 1e9, "gbytes_s": 2 * large.nbytes / move / 1e9}


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


# --- Taking turns -----------------------------------------------------------------------------------------------------


def serve(how: str, asked: Connection) -> None:
    """A process: the counts first, then the seconds of one update whenever asked."""
    torch.set_num_threads(THREADS)
    update = made(how)
    asked.send(counted(update))
    while asked.recv():
        asked.send(_seconds(lambda: update(EPOCHS)))


def main() -> None:
    """Time pairs of updates, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    started = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    ends, work = {}, {}
    for how in ("reference", "library"):
        ends[how], theirs = context.Pipe()
        context.Process(target=serve, args=(how, theirs), daemon=True).start()
        work[how] = ends[how].recv()
    torch.set_num_threads(THREADS)
    able = machine()
    pairs = []
    while len(pairs) < arguments.pairs and (not pairs or time.perf_counter() - started < BUDGET_S):
        pairs.append({})
        for how, end in ends.items():
            end.send(True)
            pairs[-1][how] = end.recv()
        print(" ".join(f"{how} {taken:.2f} s" for how, taken in pairs[-1].items()), flush=True)
    for end in ends.values():
        end.send(False)
    tables = {"times": times(pd.DataFrame(pairs), work, able), "machine": pd.DataFrame([able])}
    print(tables["times"].round(3).to_string(index=False), *(f"{key} {value:.0f}" for key, value in able.items()))
    if arguments.json:
        settings = {"sources": [], "model": "sam2.1-large", "epochs": EPOCHS, "threads": THREADS, "pairs": len(pairs)}
        write_result(arguments.json, "cpu-update", settings, tables)


def times(pairs: pd.DataFrame, work: dict[str, dict[str, float]], able: dict[str, float]) -> pd.DataFrame:
    """One row for each of the two, with the ratio within pairs and the least time that its operations would need."""
    rows = []
    for how, counts in work.items():
        low, median, high = pairs[how].quantile([0.1, 0.5, 0.9])
        less, ratio, more = (pairs["reference"] / pairs[how]).quantile([0.1, 0.5, 0.9])
        least = {
            "arithmetic_s": EPOCHS * counts["gflop"] / able["gflops"],
            "memory_s": EPOCHS * counts["gbyte"] / able["gbytes_s"],
        }
        seconds = {"median_s": median, "p10_s": low, "p90_s": high}
        ratios = {"ratio": ratio, "ratio_p10": less, "ratio_p90": more}
        rows.append({"how": how, **seconds, **ratios, **counts, **least})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main()
