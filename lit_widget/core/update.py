"""The online update: what happens between a correction and the next frame (paper section 3.2)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .types import UpdateReport


@dataclass(frozen=True)
class UpdateConfig:
    """How one correction is learned; the defaults are the paper's and its authors' code's.

    Attributes:
        learning_rate: of AdamW, constant, without weight decay.
        epochs: steps on the one correction.
        patience: stop after so many steps without a better score, once `good` was exceeded.
        good: score above which patience counts.
        hopeless: step at which an update whose best score is still 0 is given up.
    """

    learning_rate: float = 1e-4
    epochs: int = 40
    patience: int = 10
    good: float = 0.6
    hopeless: int = 10

    def __post_init__(self) -> None:
        """Refuse settings with which nothing could be learned."""
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"the learning rate must be a positive number, got {self.learning_rate}")
        if self.epochs < 1:
            raise ValueError(f"an update needs at least one epoch, got {self.epochs}")


def online_update(
    parameters: list[nn.Parameter],
    forward: Callable[[], Tensor],
    loss_of: Callable[[Tensor], Tensor],
    score_of: Callable[[Tensor], float],
    config: UpdateConfig,
    *,
    version: int,
    cancelled: Callable[[], bool] = lambda: False,
) -> UpdateReport:
    """Fit `parameters` to one correction.

    Args:
        parameters: what is trained; left as they were if the loss becomes non-finite or the user cancels.
        forward: the adapted output on the remembered features.
        loss_of: loss of an output.
        score_of: agreement of an output with the correction, in [0, 1].
        config: steps, rate and early stop.
        version: what to call the weights afterwards.
        cancelled: asked before every step.

    Returns:
        A report; `rolled_back` says that nothing changed.
    """
    started = time.perf_counter()
    before = [parameter.detach().clone() for parameter in parameters]
    optimizer = torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=0.0)
    losses: list[float] = []
    scores: list[float] = []
    best, best_step, stopped = 0.0, 0, "epochs"
    for step in range(config.epochs):
        if cancelled():
            stopped = "cancelled"
            break
        with torch.enable_grad():
            output = forward()
            loss = loss_of(output)
        losses.append(float(loss.detach()))
        scores.append(score_of(output.detach()))
        if not math.isfinite(losses[-1]):
            stopped = "non-finite"
            break
        if scores[-1] > best:
            best, best_step = scores[-1], step
        if best > config.good and step - best_step >= config.patience:
            stopped = "patience"
            break
        if step >= config.hopeless and best == 0.0:
            stopped = "hopeless"
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    finite = all(bool(torch.isfinite(parameter).all()) for parameter in parameters)
    rolled_back = stopped in ("non-finite", "cancelled") or not finite
    if rolled_back:
        with torch.no_grad():
            for parameter, old in zip(parameters, before, strict=True):
                parameter.copy_(old)
    for parameter in parameters:
        parameter.grad = None
    return UpdateReport(
        version=version - rolled_back,
        losses=tuple(losses),
        scores=tuple(scores),
        stopped=stopped if finite else "non-finite",
        update_s=time.perf_counter() - started,
        rolled_back=rolled_back,
    )
