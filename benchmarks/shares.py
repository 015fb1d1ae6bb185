"""What benchmarks that annotate have in common: their arguments, and sequences shared among processes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from benchmarks.result import open_benchmark_sources
from lit_widget.simulation.datasets import Sequence

Part = TypeVar("Part")


def arguments_of(doc: str | None) -> argparse.ArgumentParser:
    """A parser of what every such benchmark takes."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--exclude", default="", help="comma-separated names to leave out")
    parser.add_argument("--model", default="pocket")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path)
    return parser


def in_shares(work: Callable[[argparse.Namespace, int], Part], arguments: argparse.Namespace) -> list[Part]:
    """What `work(arguments, share)` returns for every share, each in a process of its own with one thread."""
    with ProcessPoolExecutor(arguments.processes, mp_context=get_context("spawn")) as pool:
        return list(
            pool.map(partial(_with_one_thread, work), [arguments] * arguments.processes, range(arguments.processes))
        )


def share_of(arguments: argparse.Namespace, share: int) -> list[Sequence]:
    """Every `processes`-th sequence."""
    return open_benchmark_sources(arguments.sources, arguments.exclude)[share :: arguments.processes]


def _with_one_thread(
    work: Callable[[argparse.Namespace, int], Part], arguments: argparse.Namespace, share: int
) -> Part:
    import torch

    torch.set_num_threads(1)
    return work(arguments, share)
