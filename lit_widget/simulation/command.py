"""`lit-widget simulate` and `lit-widget demo`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from lit_widget.video.catalogue import OPTIONS

from .options import Help, strategy_names


def add_simulate(commands: Any) -> None:
    """Add `simulate` to what `argparse.ArgumentParser.add_subparsers` returned."""
    simulate = commands.add_parser(
        "simulate", help="annotate sequences with a simulated user and compare strategies", formatter_class=Help
    )
    simulate.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="folder in DAVIS layout, NAME[/SPLIT]:DIR of a public data set, or embedded:KIND:FIRST-LAST; with --gt a "
        "video file or a folder of frames",
    )
    simulate.add_argument(
        "--gt", metavar="PATH", help="masks of that one video, in any format that is read; see `lit-widget list`"
    )
    simulate.add_argument(
        "--strategies", default="original,lit-lora", help="comma-separated; the first is the baseline"
    )
    simulate.add_argument("--model", help="see `lit-widget list`; the pocket model by default")
    for option, line in OPTIONS.items():
        simulate.add_argument(f"--{option}", help=line)
    simulate.add_argument("--tracker", default="sam2", help="see `lit-widget list`")
    simulate.add_argument("--tau", type=float, default=0.5, help="a mask with IoU below this is an error")
    simulate.add_argument("--seed", type=int, default=0, help="of the user, the adapters' weights and dropout")
    simulate.add_argument(
        "--monitor", default="user", help="who finds errors: user (default), predicted-iou, or learned"
    )
    simulate.add_argument("--automatic", action="store_true", help="the monitor judges proposals, too")
    simulate.add_argument("--learning-rate", type=float, help="instead of the model's own")
    simulate.add_argument("--epochs", type=int, help="instead of the model's own")
    simulate.add_argument("--json", metavar="OUT.json", help="write settings, records and summary")
    simulate.set_defaults(run=_simulate)


def add_demo(commands: Any) -> None:
    """Add `demo` to what `argparse.ArgumentParser.add_subparsers` returned."""
    demo = commands.add_parser(
        "demo", help="the paper's comparison on embedded clips, with a report to look at", formatter_class=Help
    )
    demo.add_argument("--out", type=Path, default=Path("demo"), help="folder for the report")
    demo.add_argument("--seeds", default="300", help="seeds of every kind, SEED or FIRST-LAST")
    demo.set_defaults(run=_demo)


def _demo(parsed: argparse.Namespace) -> int:
    print("Loading the pocket model and making the clips…", flush=True)
    from .demo import demo

    return demo(parsed.out, parsed.seeds)


def _simulate(parsed: argparse.Namespace) -> int:
    from dataclasses import replace
    from functools import partial

    from lit_widget.video.models import find_entry, load_model
    from lit_widget.video.trackers import find_tracker

    from .datasets import open_masks
    from .report import summary_text
    from .runner import run_simulation

    if parsed.json and not Path(parsed.json).parent.is_dir():
        raise ValueError(f"there is no folder to write {parsed.json} in; make it first")
    if parsed.gt and len(parsed.sources) != 1:
        raise ValueError(f"--gt has the masks of one video, got {len(parsed.sources)}; give one")
    for source in [] if parsed.gt else parsed.sources:
        if Path(source).is_file():
            raise ValueError(f"{source} is a file, which has no true masks to compare with; give them with --gt PATH")
    update = find_entry(parsed.model, parsed.config).update
    if parsed.learning_rate is not None:
        update = replace(update, learning_rate=parsed.learning_rate)
    if parsed.epochs is not None:
        update = replace(update, epochs=parsed.epochs)
    result = run_simulation(
        open_masks(parsed.sources[0], parsed.gt) if parsed.gt else parsed.sources,
        strategies=strategy_names(parsed.strategies),
        model=partial(load_model, parsed.model, **{option: getattr(parsed, option) for option in OPTIONS}),
        tracker=find_tracker(parsed.tracker),
        tau=parsed.tau,
        seed=parsed.seed,
        monitor=parsed.monitor,
        automatic=parsed.automatic,
        update=update,
    )
    if parsed.json:
        result.save(parsed.json)
    if result.records.empty:
        print("no pair was finished", file=sys.stderr)
        return 1
    print(summary_text(result))
    return 0 if result.complete else 130
