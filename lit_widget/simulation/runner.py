"""Run the protocol over sequences, objects and strategies, and hold the typed result."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Callable, Iterable
from collections.abc import Sequence as Many
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lit_widget.core.session import Event
from lit_widget.core.strategy import Strategy, find_strategy
from lit_widget.core.update import UpdateConfig
from lit_widget.video.feature_cache import FeatureCache
from lit_widget.video.learner import VideoLearner
from lit_widget.video.models import load_model, update_of
from lit_widget.video.quirks import Quirks
from lit_widget.video.sam2 import Sam2
from lit_widget.video.strategies import STRATEGIES, learner_for, require_options
from lit_widget.video.trackers import Tracker, find_tracker

from .bar import progress_bar
from .cost import CostModel
from .datasets import Sequence, open_sources, require_different, source_labels
from .metrics import Interval, reduction_interval
from .monitor import find_monitor
from .protocol import FrameResult, run_pair
from .records import PairRecord, pair_record
from .user import SimulatedUser

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from peft import PeftConfig

MANY_CORRECTIONS = 10
"""The paper's headline subset: pairs with at least this many corrections in the baseline."""

SCHEMA = 1

PAIR = ["source", "video", "object"]
"""Columns that say which pair a row is of."""


@dataclass(frozen=True, repr=False)
class SimulationResult:
    """What a simulation found.

    Attributes:
        records: one row per (source, video, object, strategy): what the source is called, and the fields of
            `PairRecord`.
        events: one row per judged frame that was corrected or accepted.
        settings: tau, seed, model, versions: what the numbers were obtained with.
        complete: False when the run was interrupted; the rows are what was done.

    Example:
        ```python
        result = run_simulation(sequence_from_arrays(clip.frames, clip.target, "mine"), strategies="original")
        result.save("result.json")
        print(SimulationResult.load("result.json").summary)
        ```
    """

    records: pd.DataFrame
    events: pd.DataFrame
    settings: dict[str, Any] = field(default_factory=dict)
    complete: bool = True

    @property
    def baseline(self) -> str:
        """The strategy that the others are compared with: the first."""
        return str(self.settings["strategies"][0])

    def paired(self, column: str) -> pd.DataFrame:
        """One column of `records` by (source, video, object), a column per strategy; unfinished pairs are left out.

        Args:
            column: its name.

        Returns:
            One row per pair.
        """
        table = self.records.pivot_table(index=PAIR, columns="strategy", values=column)
        return table.reindex(columns=[s for s in self.settings["strategies"] if s in table]).dropna()

    def reduction(self, strategy: str, *, against: str | None = None, many: bool = False) -> Interval:
        """By how many per cent a strategy needs fewer corrections, with a bootstrap interval over pairs.

        Args:
            strategy: which one.
            against: compared with which; the baseline by default.
            many: only pairs with at least ten corrections in the baseline.

        Returns:
            The reduction in per cent, with a 95 % interval.
        """
        table = self.paired("corrections")
        if many:
            table = table.loc[table[self.baseline] >= MANY_CORRECTIONS]
        return reduction_interval(list(table[against or self.baseline]), list(table[strategy]))

    @property
    def summary(self) -> pd.DataFrame:
        """One row per strategy: means per pair, and the reduction of corrections in per cent with its interval.

        Pairs that an interruption kept from some strategies are left out of all of them.
        """
        rows = []
        pairs = self.paired("corrections")
        finished = self.records[self.records.set_index(PAIR).index.isin(pairs.index)]
        many = pairs.loc[pairs[self.baseline] >= MANY_CORRECTIONS] if len(pairs) else pairs
        trained = self.events.loc[self.events["update_s"] > 0]
        for strategy in pairs.columns:
            own = finished[finished["strategy"] == strategy]
            drop = self.reduction(strategy)
            rows.append(
                {
                    "strategy": strategy,
                    "pairs": len(own),
                    "corrections": own["corrections"].mean(),
                    "corrections_ge10": many[strategy].mean() if len(many) else float("nan"),
                    "clicks": own["clicks"].mean(),
                    "masks": own["masks"].mean(),
                    "accepted": own["accepted"].mean(),
                    "annotation_s": own["annotation_s"].mean(),
                    "j_mean": own["j_mean"].mean(),
                    "update_s": trained.loc[trained["strategy"] == strategy, "update_s"].mean(),
                    "reduction_pct": drop.estimate,
                    "reduction_low": drop.low,
                    "reduction_high": drop.high,
                }
            )
        return pd.DataFrame(rows)

    def plot(self) -> Figure:
        """Corrections per pair and strategy, and how they add up over the length of the videos."""
        from .report import corrections_figure

        return corrections_figure(self)

    def __repr__(self) -> str:
        from .report import summary_text

        return "no pair was finished" if self.records.empty else summary_text(self)

    def _repr_html_(self) -> str:
        from .report import summary_html

        return summary_html(self)

    def to_json(self) -> dict[str, Any]:
        """Plain data: settings, records, events and summary, with `null` for what is undefined."""
        return {
            "schema": SCHEMA,
            "complete": self.complete,
            "settings": self.settings,
            "summary": _plain(self.summary),
            "records": _plain(self.records),
            "events": _plain(self.events),
        }

    def save(self, path: str | Path) -> Path:
        """Write `to_json()` to a file, all or nothing.

        Args:
            path: of the file; one that is there is replaced.

        Returns:
            Where it was written.
        """
        target = Path(path)
        partial = target.with_name(target.name + ".partial")
        partial.write_text(json.dumps(self.to_json(), indent=1) + "\n")
        return partial.replace(target)

    @classmethod
    def load(cls, path: str | Path) -> SimulationResult:
        """Read what `save` wrote.

        Args:
            path: of the file.

        Returns:
            The result.

        Raises:
            ValueError: if the file is not of this schema.
        """
        data = json.loads(Path(path).read_text())
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise ValueError(
                f"{path} is not a simulation result of schema {SCHEMA}; write one with SimulationResult.save"
            )
        frames = (_records_table(data["records"]), _events_table(data["events"]))
        return cls(*frames, settings=data["settings"], complete=data["complete"])


def run_simulation(
    sources: str | Path | Sequence | Iterable[str | Path | Sequence],
    *,
    strategies: str | Strategy | Many[str | Strategy] = ("original", "lit-lora"),
    model: str | Sam2 | Callable[[], Sam2] = "pocket",
    tracker: str | Tracker = "sam2",
    tau: float = 0.5,
    seed: int = 0,
    monitor: str = "user",
    automatic: bool = False,
    update: UpdateConfig | None = None,
    peft_config: PeftConfig | None = None,
    quirks: Quirks | None = None,
    cost: CostModel | None = None,
    progress: bool = True,
    on_frame: Callable[[Strategy, VideoLearner, int, FrameResult, Event], None] | None = None,
) -> SimulationResult:
    """Annotate sequences with a simulated user, once per strategy (paper section 4).

    Args:
        sources: folders in DAVIS layout, `embedded:KIND:FIRST-LAST`, or sequences.
        strategies: names from `lit_widget.strategies()`, or strategies of your own; the first is the baseline.
        model: a name from `lit_widget.models()`, a loaded model, or a function that loads one, called once all else
            is known to be right.
        tracker: a name from `lit_widget.trackers()`, or a tracker.
        tau: a mask with IoU below this is an error.
        seed: of the user, the adapters' initial weights and dropout.
        monitor: who finds the errors: "user" sees every frame, "predicted-iou" (paper section 4.5) and "learned" call
            the user to frames that they doubt, so that errors can be missed.
        automatic: the monitor judges the proposals as well.
        update: how corrections are learned; the model's own rate and threads where it gives none.
        peft_config: another method of peft in the place of the paper's LoRA.
        quirks: deviations of the authors' code from the method as published, none by default.
        cost: seconds of human time per action.
        progress: show a progress bar.
        on_frame: called with strategy, learner, object, what happened and its event, after every judged frame.

    Returns:
        The result; interrupting (Ctrl-C or the stop button) returns what was done, with `complete` False.

    Raises:
        ValueError: if a strategy, monitor, model or tracker is unknown, the user is to be automatic, `tau` is no IoU,
            a source cannot be read or is given twice, or the ground truth is empty.

    Example:
        <!-- not run: takes longer than a test should -->
        ```python
        result = run_simulation(["embedded:distractor:300-301"], strategies=["original", "lit-lora"])
        result  # a table; result.records is a DataFrame; result.plot() a figure
        ```
    """
    given = [strategies] if isinstance(strategies, (str, Strategy)) else list(strategies)
    chosen = list({each.name: each for each in (find_strategy(one, STRATEGIES) for one in given)}.values())
    if not chosen:
        raise ValueError(f"there is nothing to compare: no strategy was given; choose from {', '.join(STRATEGIES)}")
    require_options(seed, update, quirks, peft_config)
    follower = find_tracker(tracker)
    watch = find_monitor(monitor)
    if automatic and watch is None:
        raise ValueError("automatic validation needs a monitor; add monitor='learned' or 'predicted-iou'")
    user = SimulatedUser(tau=tau, seed=seed)
    sequences = _open(sources)
    loaded = _load(model)
    update = update_of(loaded.name, update)
    settings = {
        "strategies": [strategy.name for strategy in chosen],
        "tau": tau,
        "seed": seed,
        "monitor": monitor,
        "automatic": automatic,
        "model": loaded.name,
        "device": str(loaded.device),
        "precision": loaded.precision,
        "tracker": follower.name,
        "update": asdict(update),
        "peft": None if peft_config is None else type(peft_config).__name__,
        "quirks": None if quirks is None else asdict(quirks),
        "versions": environment(),
    }
    done = _Collected(cost or CostModel())
    n_pairs = sum(len(sequence.objects) for _, sequence in sequences)
    try:
        with progress_bar(n_pairs * len(chosen), unit="pass", shown=progress) as bar:
            for source, sequence in sequences:
                cache = FeatureCache.of(loaded, sequence.frames)
                for object_id in sequence.objects:
                    for strategy in chosen:
                        bar.set_description(f"{sequence.name} · object {object_id} · {strategy.name}")
                        learner = learner_for(
                            strategy,
                            loaded,
                            sequence.frames,
                            update=update,
                            peft_config=peft_config,
                            quirks=quirks,
                            seed=seed + 123,
                            features=cache,
                            tracker=follower,
                        )
                        own = None if watch is None else watch(learner, tau)
                        frames = run_pair(
                            learner,
                            sequence,
                            object_id,
                            strategy,
                            user,
                            monitor=own,
                            automatic=automatic,
                            on_frame=None if on_frame is None else partial(on_frame, strategy, learner, object_id),
                        )
                        done.add((source, sequence.name, object_id), strategy, user, frames)
                        bar.update()
    except KeyboardInterrupt:
        return done.result(settings, complete=False)
    if not done.records:
        raise nothing_visible(sequences)
    return done.result(settings, complete=True)


def nothing_visible(sequences: list[tuple[str, Sequence]]) -> ValueError:
    """What to raise if there is nothing to judge in any sequence, given with what its source is called."""
    names = [source if source == sequence.name else f"{source}/{sequence.name}" for source, sequence in sequences]
    others = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return ValueError(
        f"the ground truth of {names[0]}{others} shows no object before the last frame; give masks that are not empty"
    )


def _load(model: str | Sam2 | Callable[[], Sam2]) -> Sam2:
    if isinstance(model, Sam2):
        return model
    if isinstance(model, str):
        return load_model(model)
    if not callable(model):
        raise ValueError(f"model is {model!r}; give a name from lit_widget.models() or what load_model returns")  # noqa: TRY004
    return model()


def environment() -> dict[str, str]:
    """Versions and machine, to stand beside every number."""
    packages = ("lit-widget", "torch", "sam2", "peft", "numpy")
    found = {name: _version(name) for name in packages}
    return {"python": platform.python_version(), "machine": platform.machine(), **found}


def _version(package: str) -> str:
    try:
        return version(package)
    except ModuleNotFoundError:
        return "source tree"


def _open(sources: str | Path | Sequence | Iterable[str | Path | Sequence]) -> list[tuple[str, Sequence]]:
    """Every sequence with what its source is called."""
    given = [sources] if isinstance(sources, (str, Path, Sequence)) else list(sources)
    for source in given:
        if not isinstance(source, (str, Path, Sequence)):
            raise ValueError(  # noqa: TRY004 - what cannot be used is a ValueError everywhere here
                f"a source is the path of a folder, a name such as embedded:easy:0, or a Sequence; got a "
                f"{type(source).__name__} (for arrays: LITWidget(frames).run_simulation(ground_truth))"
            )
    if not given:
        raise ValueError("there is nothing to simulate: no source was given")
    specs = [str(source) for source in given if not isinstance(source, Sequence)]
    require_different(specs)
    called, times = source_labels(specs), Counter[str]()
    opened: list[tuple[str, Sequence]] = []
    for source in given:
        if isinstance(source, Sequence):
            times[source.name] += 1
            number = times[source.name]
            opened.append((source.name if number == 1 else f"{source.name} ({number})", source))
        else:
            opened += [(called[str(source)], sequence) for sequence in open_sources([str(source)])]
    return opened


class _Collected:
    """Rows as passes finish."""

    def __init__(self, cost: CostModel) -> None:
        self.cost = cost
        self.records: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []

    def add(
        self, pair: tuple[str, str, int], strategy: Strategy, user: SimulatedUser, frames: list[FrameResult]
    ) -> None:
        source, video, object_id = pair
        record = pair_record((video, object_id, strategy.name), frames, user, self.cost)
        if record is None:
            return
        who = {**dict(zip(PAIR, pair, strict=True)), "strategy": strategy.name}
        self.records.append({"source": source, **asdict(record)})
        self.events += [{**who, **asdict(frame)} for frame in frames if frame.event != "tracked"]

    def result(self, settings: dict[str, Any], *, complete: bool) -> SimulationResult:
        return SimulationResult(_records_table(self.records), _events_table(self.events), settings, complete)


def _records_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return _table(rows, ["source", *PairRecord.__dataclass_fields__])


def _events_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return _table(rows, [*PAIR, "strategy", *FrameResult.__dataclass_fields__])


def _table(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    # Files from before several sources were told apart have no such column.
    return pd.DataFrame([{"source": "", **row} for row in rows], columns=columns)


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    return json.loads(str(table.to_json(orient="records")))
