"""Strategies for video: the task-free ones, the paper's memory adapter, and controls that learn nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from lit_widget.core.learner import LiveLearner
from lit_widget.core.options import require, require_seed
from lit_widget.core.recipes import Peft, Recipe
from lit_widget.core.strategy import LitFt, LitLora, LoraNoCl, Original, ReplaceOriginal, Strategy, ThreeLoras
from lit_widget.core.types import Correction, Prediction, Proposal, UpdateReport
from lit_widget.core.update import UpdateConfig

from .bottleneck import MemoryBottleneck
from .closeup import close_up
from .frames import Frames
from .learner import VideoLearner
from .models import update_of
from .quirks import Quirks
from .sam2 import Sam2

if TYPE_CHECKING:
    from peft import PeftConfig


@dataclass(frozen=True)
class MemoryAdapter(LitLora):
    """Ablation: the decoder stays frozen, a bottleneck on its input features is trained (paper section 4.4)."""

    name: ClassVar[str] = "memory-adapter"
    help: ClassVar[str] = "ablation: trains a bottleneck on the memory-conditioned features instead of the decoder"
    recipe: ClassVar[Recipe | None] = MemoryBottleneck()


@dataclass(frozen=True)
class LitPlus(LitLora):
    """Beyond the paper: the adapter learns and proposes on the frame and on a close-up of where the object just was.

    The user may also take what the frozen model says of the close-up, so that there is a proposal at the first error,
    and where what was learned has faded. Without a mask before there is nothing to look at closely; then it is
    LIT-LoRA.
    """

    name: ClassVar[str] = "lit-plus"
    proposes_untaught: ClassVar[bool] = True
    help: ClassVar[str] = (
        "beyond the paper: the adapter also learns and proposes on a close-up of where the object just was"
    )

    def propose(self, learner: LiveLearner, prediction: Prediction) -> tuple[Proposal, ...]:
        """The adapter's answers to the close-up and to the whole frame, then the frozen model's to the close-up."""
        assert isinstance(learner, VideoLearner)
        closer, whole = close_up(learner, prediction), super().propose(learner, prediction)
        if closer is None:
            return whole
        near = super().propose(learner, closer.prediction)
        return *map(closer.proposed, near), *whole, closer.frozen()

    def learn(self, learner: LiveLearner, prediction: Prediction, correction: Correction) -> UpdateReport | None:
        """Train the adapter on the frame and, if that shows the object, on the close-up."""
        assert isinstance(learner, VideoLearner)
        closer = close_up(learner, prediction)
        shown = None if closer is None else closer.shown(correction)
        if closer is None or shown is None:
            return super().learn(learner, prediction, correction)
        return learner.learn_one(closer.prediction, shown, also=[(prediction, correction)])


@dataclass(frozen=True)
class Token0(Strategy):
    """Control: the frozen decoder's single-mask token, which the adapter also speaks through."""

    name: ClassVar[str] = "token-0"
    proposes_untaught: ClassVar[bool] = True
    help: ClassVar[str] = "control without learning: propose the frozen decoder's single-mask token"

    def propose(self, learner: LiveLearner, prediction: Prediction) -> tuple[Proposal, ...]:
        """The frozen token-0 mask on the same evidence."""
        assert isinstance(learner, VideoLearner)
        evidence = prediction.evidence
        threshold, base = learner.tracker.visible_above, prediction.output
        single = learner.model.decode(evidence.fused, evidence.features, multimask=False, visible_above=threshold)[0]
        return (Proposal(prediction.item, single.as_if_by(base), self.name),)


@dataclass(frozen=True)
class PreviousMask(Strategy):
    """Control: a copy of the mask that the neighbouring frame ended up with."""

    name: ClassVar[str] = "previous-mask"
    proposes_untaught: ClassVar[bool] = True
    help: ClassVar[str] = "control without learning: propose a copy of the mask of the frame before"

    def propose(self, learner: LiveLearner, prediction: Prediction) -> tuple[Proposal, ...]:
        """The settled mask of the frame before, if there is one."""
        assert isinstance(learner, VideoLearner)
        frame, object_id = prediction.item
        record = learner.bank(object_id).records.get(frame - 1)
        if record is None:
            return ()
        base = prediction.output
        return (Proposal(prediction.item, record.output.as_if_by(base), self.name),)


@dataclass(frozen=True)
class FrozenCloseUp(Strategy):
    """Control: what the frozen model says of the close-up on which `LitPlus` learns."""

    name: ClassVar[str] = "close-up"
    proposes_untaught: ClassVar[bool] = True
    help: ClassVar[str] = "control without learning: propose what the frozen model says of a close-up"

    def propose(self, learner: LiveLearner, prediction: Prediction) -> tuple[Proposal, ...]:
        """The frozen answer to the close-up, if there is one."""
        assert isinstance(learner, VideoLearner)
        closer = close_up(learner, prediction)
        return () if closer is None else (closer.frozen(),)


STRATEGIES: dict[str, Strategy] = {
    each.name: each
    for each in (
        Original(),
        LitLora(),
        LitPlus(),
        LoraNoCl(),
        ReplaceOriginal(),
        LitFt(),
        ThreeLoras(),
        MemoryAdapter(),
        Token0(),
        PreviousMask(),
        FrozenCloseUp(),
    )
}
"""Every strategy by name."""


def strategies() -> dict[str, str]:
    """Names of the strategies, each with one line of help.

    Example:
        ```python
        print(strategies()["lit-plus"])
        ```
    """
    return {name: strategy.help for name, strategy in STRATEGIES.items()}


def learner_for(
    strategy: Strategy,
    model: Sam2,
    frames: Frames,
    *,
    update: UpdateConfig | None = None,
    peft_config: PeftConfig | None = None,
    **options: Any,
) -> VideoLearner:
    """A fresh learner whose adapters are what a strategy trains.

    Args:
        strategy: says what is trained, and how fast compared with LoRA.
        model: the frozen model.
        frames: the video.
        update: how corrections are learned; the model's own rate and threads where it gives none.
        peft_config: another method of peft in the place of the paper's LoRA.
        options: further arguments of `VideoLearner`.

    Raises:
        ValueError: if an argument is of another type, or `peft_config` is given and the strategy does not train a LoRA.
    """
    require("model", model, Sam2, "a name from lit_widget.models() or what load_model returns")
    require_options(options.get("seed", 0), update, options.get("quirks"), peft_config)
    if peft_config is not None and strategy.recipe is not None:
        raise ValueError(f"{strategy.name} does not train a LoRA that {type(peft_config).__name__} could replace")
    config = update_of(model.name, update)
    config = replace(config, learning_rate=config.rate * strategy.rate)
    recipe = strategy.recipe if peft_config is None else Peft(peft_config)
    return VideoLearner(model, frames, recipe=recipe, update=config, **options)


def require_options(seed: object, update: object, quirks: object, peft_config: object) -> None:
    """Refuse options of another type before any work is done.

    Raises:
        ValueError: naming what was given and what can be.
    """
    require_seed(seed)
    if update is not None:
        require("update", update, UpdateConfig, "an UpdateConfig")
    if quirks is not None:
        require("quirks", quirks, Quirks, "a Quirks")
    if peft_config is not None:
        Peft(cast("PeftConfig", peft_config))
