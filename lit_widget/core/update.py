"""The online update: what happens between a correction and the next frame (paper section 3.2)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from .options import require
from .types import UpdateReport

Pass = Callable[[], tuple[Tensor, Tensor | float]]
"""One pass over a correction: its loss, and in [0, 1] how well the adapter's answer agrees with it."""

PAPER_RATE = 1e-4
"""Learning rate of the paper (section 4.1)."""

REALS, WHOLE = ("learning_rate", "good"), ("epochs", "patience", "hopeless", "samples", "batch", "threads")
"""Settings of an update that are numbers, and those that are whole ones."""

MOST = 10**6
"""Of whatever is counted."""


@dataclass(frozen=True)
class UpdateConfig:
    """How corrections are learned; the defaults are the paper's and its authors' code's.

    Attributes:
        learning_rate: of AdamW, constant, without weight decay; `None` for the model's own, which the paper's 1e-4
            is where it has none.
        epochs: passes over the corrections learned in one update.
        patience: stop after so many epochs without a better score on the newest correction, once `good` was exceeded.
        good: score above which patience counts.
        hopeless: epoch at which an update whose best score is still 0 is given up.
        samples: corrections in one update: the newest and those just before it (n of the paper's n/b).
        batch: of them, how many share an optimizer step (b of the paper's n/b).
        threads: of torch on the CPU during an update, `None` for the model's own number, all where it has none. Small
            layers learn faster on one.
        restore_best: end with the weights of the best epoch; the authors' code keeps them but uses the last ones.

    Example:
        ```python
        w = LITWidget("clip.mp4", update=UpdateConfig(learning_rate=1e-3, samples=3))
        ```
    """

    learning_rate: float | None = None
    epochs: int = 40
    patience: int = 10
    good: float = 0.6
    hopeless: int = 10
    samples: int = 1
    batch: int = 1
    threads: int | None = None
    restore_best: bool = False

    def __post_init__(self) -> None:
        """Refuse settings with which nothing could be learned; numbers of numpy become Python's."""
        for name in (*REALS, *WHOLE):
            given = getattr(self, name)
            if given is not None or name not in ("learning_rate", "threads"):
                object.__setattr__(self, name, _number(name, given))
        if not 0 < self.rate < math.inf:
            raise ValueError(f"the learning rate must be a positive number, got {self.learning_rate}")
        if math.isnan(self.good):
            raise ValueError("good is not a number (nan); give a score above which patience counts, such as 0.6")
        if not isinstance(self.restore_best, bool):
            raise ValueError(f"restore_best is {self.restore_best!r}; give True or False")  # noqa: TRY004
        if self.batch > self.samples:
            raise ValueError(f"a batch of {self.batch} cannot be drawn from {self.samples} corrections; lower it")

    @property
    def rate(self) -> float:
        """The learning rate that is used."""
        return PAPER_RATE if self.learning_rate is None else self.learning_rate

    def over(self, own: UpdateConfig) -> UpdateConfig:
        """These settings, with a model's own learning rate and threads where none are given.

        Args:
            own: the model's.

        Returns:
            Settings that leave nothing open.
        """
        rate = own.rate if self.learning_rate is None else self.learning_rate
        return replace(self, learning_rate=rate, threads=self.threads or own.threads)


def _number(name: str, given: Any) -> float | int:
    """A setting as a number of Python's own."""
    if name in REALS:
        require(name, given, Real, "a number")
        return float(given)
    require(name, given, Integral, "a whole number from 1")
    if not 1 <= given <= MOST:
        bound = "least 1" if given < 1 else f"most {MOST}"
        raise ValueError(f"an update needs {name} of at {bound}, got {given}")
    return int(given)


@runtime_checkable
class Stepper(Protocol):
    """How optimizer steps are taken: one by one here, or as `recording.Recording` does on a CUDA device."""

    def __call__(
        self,
        parameters: list[nn.Parameter],
        passes: Sequence[Pass],
        config: UpdateConfig,
        progress: Progress,
        cancelled: Callable[[], bool],
    ) -> str:
        """Take steps until `progress` has a reason to stop; why it stopped, with the weights as they were then."""
        ...


def online_update(
    parameters: list[nn.Parameter],
    passes: Sequence[Pass],
    config: UpdateConfig,
    *,
    version: int,
    cancelled: Callable[[], bool] = lambda: False,
    stepper: Stepper | None = None,
) -> UpdateReport:
    """Fit `parameters` to corrections.

    Args:
        parameters: what is trained; left as they were if the loss becomes non-finite or the user cancels.
        passes: one per correction, the newest last; its score decides when to stop.
        config: epochs, rate, batches and early stop.
        version: what to call the weights afterwards.
        cancelled: asked before every epoch.
        stepper: takes the optimizer steps; one after the other by default.

    Returns:
        A report; `rolled_back` says that nothing changed.
    """
    started = time.perf_counter()
    before = copied(parameters)
    progress = Progress(config)
    stopped = (stepper or one_by_one)(parameters, passes, config, progress, cancelled)
    finite = bool(torch.stack([parameter.isfinite().all() for parameter in parameters]).all())
    rolled_back = stopped in ("non-finite", "cancelled") or not finite
    if rolled_back or config.restore_best:
        write(parameters, before if rolled_back else progress.best_weights)
    for parameter in parameters:
        parameter.grad = None
    return UpdateReport(
        version=version - rolled_back,
        losses=tuple(progress.losses),
        scores=tuple(progress.scores),
        stopped=stopped if finite else "non-finite",
        update_s=time.perf_counter() - started,
        rolled_back=rolled_back,
    )


def one_by_one(
    parameters: list[nn.Parameter],
    passes: Sequence[Pass],
    config: UpdateConfig,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> str:
    """The plain `Stepper`: every loss is looked at before its step is taken."""
    optimizer = torch.optim.AdamW(parameters, lr=config.rate, weight_decay=0.0, fused=True)
    for step in steps(len(passes), config):
        if step.begins and cancelled():
            return "cancelled"
        with torch.enable_grad():
            results = [passes[index]() for index in step.members]
            losses = [loss for loss, _ in results]
            loss = torch.stack(losses).mean() if len(losses) > 1 else losses[0]
        if step.holds_newest:
            newest_loss, score = results[-1]
            progress.note(step.epoch, float(newest_loss.detach()), float(score), lambda: copied(parameters))
        if reason := "non-finite" if not math.isfinite(float(loss.detach())) else progress.reason(step.epoch):
            return reason
        for parameter in parameters:
            parameter.grad = None
        loss.backward()
        optimizer.step()
    return "epochs"


@contextmanager
def limited_threads(n: int | None) -> Iterator[None]:
    """Within this context torch uses so many threads on the CPU, with `None` as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(n or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True)
class Step:
    """One optimizer step: which passes it takes; the newest comes last in its batch."""

    epoch: int
    members: list[int]
    begins: bool
    holds_newest: bool


def steps(n: int, config: UpdateConfig) -> Iterator[Step]:
    """Every epoch takes the corrections in random order, but ends with the newest."""
    for epoch in range(config.epochs):
        order = [*torch.randperm(n - 1).tolist(), n - 1] if n > 1 else [0]
        for start in range(0, n, config.batch):
            members = order[start : start + config.batch]
            yield Step(epoch, members, start == 0, members[-1] == n - 1)


@dataclass
class Progress:
    """Losses and scores of the newest correction, and what they say about going on."""

    config: UpdateConfig
    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    best: float = 0.0
    best_epoch: int = 0
    best_weights: list[Tensor] = field(default_factory=list)

    def note(self, epoch: int, loss: float, score: float, weights: Callable[[], list[Tensor]]) -> None:
        """Remember what the weights before this epoch's step achieve."""
        self.losses.append(loss)
        self.scores.append(score)
        better = score > self.best
        if better:
            self.best, self.best_epoch = score, epoch
        if self.config.restore_best and (better or not self.best_weights):
            self.best_weights = weights()

    def reason(self, epoch: int) -> str | None:
        """Why to stop at this epoch, if there is a reason."""
        if self.best > self.config.good and epoch - self.best_epoch >= self.config.patience:
            return "patience"
        return "hopeless" if epoch >= self.config.hopeless and self.best == 0.0 else None


def copied(parameters: list[nn.Parameter]) -> list[Tensor]:
    """The present weights, no longer tied to the parameters."""
    return [parameter.detach().clone() for parameter in parameters]


def write(parameters: list[nn.Parameter], values: Sequence[Tensor]) -> None:
    """Give the parameters these weights."""
    with torch.no_grad():
        for parameter, value in zip(parameters, values, strict=True):
            parameter.copy_(value)
