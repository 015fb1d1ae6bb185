"""`lit-widget classify`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .classify import Classified, ClassifyOptions


REDUCTION = ("reduction_pct", "reduction_low", "reduction_high")


def add_classify(commands: Any) -> None:
    """Add `classify` to what `argparse.ArgumentParser.add_subparsers` returned."""
    classify = commands.add_parser("classify", help="label images with a simulated user and compare strategies")
    classify.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="folder with a folder per class, cub:DIR, cars:DIR or sun397:DIR (NAME/train:DIR: another split), or "
        "embedded:SEED",
    )
    classify.add_argument(
        "--model", default="pocket", help="pocket (default), a CLIP of the Hugging Face hub, or a folder"
    )
    classify.add_argument(
        "--strategies", default="original,frequent-labels,lit-lora", help="comma-separated; original must be there"
    )
    classify.add_argument("--placement", default="projection", help="of the LoRA: projection, residual, attention")
    classify.add_argument("--template", action="append", help="text for a class, {} is its name; several are averaged")
    classify.add_argument("--shuffles", type=int, default=3, help="random orders beside the images' own")
    classify.add_argument("--seed", type=int, default=0)
    classify.add_argument("--alpha", type=float, help="of the LoRA")
    classify.add_argument("--learning-rate", type=float)
    classify.add_argument("--epochs", type=int, help="at most")
    classify.add_argument("--margin", type=float, help="by which the right class should lead")
    classify.add_argument("--margin-weight", type=float)
    classify.add_argument("--decay", type=float, help="weight of the adapter's squared norm")
    classify.add_argument("--cache", help="folder for features")
    classify.add_argument("--json", metavar="OUT.json", help="write settings, records and summary")
    classify.set_defaults(run=_classify)


def _classify(parsed: argparse.Namespace) -> int:
    from lit_widget.images.clip import Clip
    from lit_widget.images.datasets import open_images

    from .classify import classify

    if parsed.json and not Path(parsed.json).parent.is_dir():
        raise ValueError(f"there is no folder to write {parsed.json} in; make it first")
    sets = [open_images(source) for source in parsed.sources]
    done = classify(sets, Clip.load(parsed.model), _options(parsed), progress=_progress)
    if parsed.json:
        done.save(parsed.json)
    for sentence in done.left_out:
        print(sentence, file=sys.stderr)
    print(_table(done))
    return 0


def _options(parsed: argparse.Namespace) -> ClassifyOptions:
    """What was asked for; everything else as it is by default."""
    from dataclasses import replace

    from .classify import ClassifyOptions

    def given(*names: str) -> dict[str, Any]:
        return {name: getattr(parsed, name) for name in names if getattr(parsed, name) is not None}

    options = ClassifyOptions()
    return replace(
        options,
        strategies=[name.strip() for name in parsed.strategies.split(",")],
        templates=parsed.template or options.templates,
        update=replace(options.update, **given("learning_rate", "epochs")),
        loss=replace(options.loss, **given("margin", "margin_weight", "decay")),
        **given("placement", "shuffles", "seed", "alpha", "cache"),
    )


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\rfeatures: {done} of {total}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def _table(done: Classified) -> str:
    """The summary for a terminal."""
    summary = done.result.summary
    if summary.empty:
        return "no group needs enough corrections without learning to count; there is nothing to compare"
    table = summary[["strategy", "groups"]].copy()
    table["corrections"] = summary["corrections"].map("{:.2f}".format)
    table["fewer corrections"] = [
        "–" if name == "original" else f"{estimate:.1f} % [{low:.1f}, {high:.1f}]"
        for name, estimate, low, high in summary[["strategy", *REDUCTION]].itertuples(index=False)
    ]
    table["update ms"] = summary["update_ms"].map("{:.1f}".format)
    return table.to_string(index=False)
