"""Optimizer steps as CUDA graphs: recorded with the first correction, played again for every later one.

A step launches several hundred small kernels, and launching them takes far longer than running them. Played from a
graph they follow each other without Python in between.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from .update import Pass, Progress, Step, UpdateConfig, copied, steps, write

AHEAD = 4
"""So many steps are under way before the outcome of the first is read, so that reading never stalls the device."""

Shapes = tuple[tuple[torch.Size, ...], ...]


@runtime_checkable
class RecordablePass(Protocol):
    """A pass that can be recorded: it reads back nothing, and what differs between corrections lies in tensors."""

    @property
    def constants(self) -> tuple[Tensor, ...]:
        """All tensors that the pass reads and that another correction would have other values in."""
        ...

    def __call__(self) -> tuple[Tensor, Tensor]:
        """Loss and score, both on the device."""
        ...


class Recording:
    """A `Stepper` for always the same parameters on a CUDA device.

    The weights, losses and the epoch at which it stops are those of `one_by_one`: the weights before every step are
    kept until the outcome of the step has been read, and a step taken too many is taken back.

    Args:
        parameters: what is trained.
        learning_rate: of AdamW.
    """

    def __init__(self, parameters: list[nn.Parameter], learning_rate: float) -> None:
        self._parameters = parameters
        self._optimizer = torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=0.0, fused=True, capturable=True)
        self._pool = torch.cuda.graph_pool_handle()
        self._scripts: dict[Shapes, _Script] = {}

    def __call__(
        self,
        parameters: list[nn.Parameter],
        passes: Sequence[Pass],
        config: UpdateConfig,
        progress: Progress,
        cancelled: Callable[[], bool],
    ) -> str:
        """Take steps until `progress` has a reason to stop; why it stopped, with the weights as they were then."""
        script = self._script(cast("Sequence[RecordablePass]", passes))
        planned = list(steps(len(passes), config))
        device = parameters[0].device
        self._record(script, planned, device)
        # Enough for the steps under way, the one being started, and one that is looked at.
        history = torch.empty(AHEAD + 2, sum(each.numel() for each in parameters), device=device)
        under_way: deque[tuple[int, Tensor, torch.cuda.Event]] = deque()
        stop = None
        for index, step in enumerate(planned):
            if step.begins and cancelled():
                return "cancelled"
            torch.cat([each.detach().flatten() for each in parameters], out=history[index % len(history)])
            under_way.append((index, *script.play(step)))
            if len(under_way) > AHEAD and (stop := self._look(under_way.popleft(), planned, history, progress)):
                break
        while under_way and not stop:
            stop = self._look(under_way.popleft(), planned, history, progress)
        if stop is None:
            return "epochs"
        at, reason = stop
        write(parameters, self._unpacked(history[at % len(history)]))
        return reason

    def _script(self, passes: Sequence[RecordablePass]) -> _Script:
        """The recorded passes of these shapes, with the constants of the given ones."""
        shapes = tuple(tuple(each.shape for each in one.constants) for one in passes)
        if shapes in self._scripts:
            self._scripts[shapes].take_over(passes)
        else:
            self._scripts[shapes] = _Script(passes)
        return self._scripts[shapes]

    def _record(self, script: _Script, planned: list[Step], device: torch.device) -> None:
        """Make the graphs that are missing; weights and random numbers are afterwards as if there was nothing to do."""
        before, randomness = copied(self._parameters), torch.cuda.get_rng_state(device)
        for step in planned:
            script.record(step, self._optimizer, self._pool)
        write(self._parameters, before)
        torch.cuda.set_rng_state(randomness, device)
        self._forget_momentum()

    def _forget_momentum(self) -> None:
        for state in self._optimizer.state.values():
            for value in state.values():
                value.zero_()

    def _look(
        self,
        played: tuple[int, Tensor, torch.cuda.Event],
        planned: list[Step],
        history: Tensor,
        progress: Progress,
    ) -> tuple[int, str] | None:
        """Read the outcome of a step: at which step to have stopped, and why, if there is a reason."""
        index, outcome, done = played
        step = planned[index]
        done.synchronize()
        loss, newest_loss, score = outcome.tolist()
        if step.holds_newest:
            progress.note(step.epoch, newest_loss, score, lambda: self._unpacked(history[index % len(history)].clone()))
        finite = loss - loss == 0
        reason = progress.reason(step.epoch) if finite else "non-finite"
        return (index, reason) if reason else None

    def _unpacked(self, row: Tensor) -> list[Tensor]:
        pieces = row.split([each.numel() for each in self._parameters])
        return [piece.view_as(each) for piece, each in zip(pieces, self._parameters, strict=True)]


class _Script:
    """Passes of certain shapes, and the graph of every optimizer step over some of them."""

    def __init__(self, passes: Sequence[RecordablePass]) -> None:
        self._passes = list(passes)
        self._graphs: dict[tuple[int, ...], torch.cuda.CUDAGraph] = {}
        self._outcome = torch.zeros(3, device=passes[0].constants[0].device)

    def take_over(self, passes: Sequence[RecordablePass]) -> None:
        """Other corrections in the place of those recorded."""
        for own, given in zip(self._passes, passes, strict=True):
            for into, value in zip(own.constants, given.constants, strict=True):
                into.copy_(value)

    def record(self, step: Step, optimizer: torch.optim.Optimizer, pool: Any) -> None:
        """Make the graph of a step unless there is one; this moves the weights."""
        members = _members(step)
        if members in self._graphs:
            return
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            self._take(members, optimizer)
        torch.cuda.current_stream().wait_stream(aside)
        optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        # Other threads may use the device meanwhile: the widget's encoder, or a notebook's own work.
        with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            self._take(members, optimizer)
        self._graphs[members] = graph

    def play(self, step: Step) -> tuple[Tensor, torch.cuda.Event]:
        """Take a step: where its three outcomes will be, and when."""
        self._graphs[_members(step)].replay()
        outcome = torch.empty(3, pin_memory=True).copy_(self._outcome, non_blocking=True)
        done = torch.cuda.Event()
        done.record()
        return outcome, done

    def _take(self, members: tuple[int, ...], optimizer: torch.optim.Optimizer) -> None:
        # A few tokens attend to thousands or the reverse: the fused kernels leave most of the device idle then.
        with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
            results = [self._passes[index]() for index in members]
            loss = torch.stack([loss for loss, _ in results]).mean()
        newest_loss, score = results[-1]
        self._outcome.copy_(torch.stack([loss.detach(), newest_loss.detach(), score.detach()]))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


def _members(step: Step) -> tuple[int, ...]:
    """Which passes share a step; their order does not matter, and the newest stays last."""
    return tuple(sorted(step.members))
