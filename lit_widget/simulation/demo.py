"""The demonstration behind `make demo` and `lit-widget demo`: original tracker against LIT-LoRA on embedded clips."""

from __future__ import annotations

import sys
from pathlib import Path

from lit_widget.video.models import load_model
from lit_widget.video.sam2 import Sam2
from lit_widget.video.strategies import STRATEGIES, learner_for

from .datasets import Sequence, open_sources
from .folders import make_writable
from .protocol import run_pair
from .report import html_report, summary_text
from .runner import SimulationResult, run_simulation
from .story import Story
from .user import SimulatedUser

COMPARED = ("original", "lit-lora", "previous-mask", "token-0")
"""The baseline, LIT, and the two controls that learn nothing."""

MOST_REPLAYS = 4
"""Pairs that are replayed at most in search of a story."""


def tell_story(result: SimulationResult, sequences: list[Sequence], model: Sam2) -> Story | None:
    """Replay a pair in which many proposals were accepted after few corrections, with pictures."""
    lit = [row for row in result.records.to_dict("records") if row["strategy"] == "lit-lora" and row["accepted"]]
    settings = result.settings
    for row in sorted(lit, key=lambda row: (-row["accepted"], row["corrections"]))[:MOST_REPLAYS]:
        sequence = next(each for each in sequences if each.name == row["video"])
        strategy = STRATEGIES["lit-lora"]
        learner = learner_for(strategy, model, sequence.frames, seed=settings["seed"] + 123)
        story = Story(learner, sequence, int(row["object"]))
        user = SimulatedUser(tau=settings["tau"], seed=settings["seed"])
        run_pair(learner, sequence, story.object_id, strategy, user, on_frame=story.on_frame)
        if story.complete:
            return story
    return None


def demo(out: Path, seeds: str) -> int:
    """Run it and write the report.

    Args:
        out: folder for the report.
        seeds: of every kind of clip, SEED or FIRST-LAST.

    Returns:
        The exit status.

    Raises:
        ValueError: if the folder cannot be written to.
    """
    make_writable(out)
    model = load_model("pocket", device="cpu")
    sequences = open_sources([f"embedded:all:{seeds}"])
    ways = f"{len(sequences)} embedded clips with a simulated user, {len(COMPARED)} ways each"
    print(f"Annotating {ways}: 2 to 5 minutes.", flush=True)
    result = run_simulation(sequences, strategies=COMPARED, model=model)
    if result.records.empty:
        print("interrupted before the first pass was finished", file=sys.stderr)
        return 130
    print(summary_text(result))
    if not result.complete:
        print("Interrupted: no report was written.", file=sys.stderr)
        return 130
    print("Replaying a clip for the report…", flush=True)
    result.save(out / "result.json")
    result.plot().savefig(out / "corrections.png", dpi=150)
    report = out / "report.html"
    report.write_text(html_report(result, tell_story(result, sequences, model)))
    print(f"Wrote {report}, corrections.png and result.json in {out}/")
    return 0
