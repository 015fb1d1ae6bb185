"""Where the authors' public code differs from the method as published, as options.

None of these is on by default; they are here for whoever compares numbers with the authors' code, which is an
earlier state of the work than the paper. `restore_best` of `UpdateConfig` belongs to the same family.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Quirks:
    """Deviations that can move numbers; the defaults are the clean forms.

    Attributes:
        lora_keep_bias: False drops the own bias of every layer that LoRA adapts.
        focal_reduction: "col_sum" averages the focal loss over rows but sums it over columns, which makes it as
            many times heavier as the model's input is wide, and the dice loss irrelevant.
        dropout_at_inference: True leaves LoRA's dropout on when the adapter proposes.
        train_gate: True writes the absent logit everywhere while the object score is not positive, in training too,
            where nothing can then be learned.
        accumulate_clicks: False sends every click of a correction alone, the mask so far being its only memory.
        mask_correction_as_cond: False keeps a painted mask out of permanent memory, as stock SAM 2 does.
        lora_obj_ptr: "lora" remembers an accepted proposal with the adapter's own object pointer.

    Example:
        ```python
        w = LITWidget("clip.mp4", quirks=Quirks.of_the_authors())
        ```
    """

    lora_keep_bias: bool = True
    focal_reduction: Literal["mean", "col_sum"] = "mean"
    dropout_at_inference: bool = False
    train_gate: bool = False
    accumulate_clicks: bool = True
    mask_correction_as_cond: bool = True
    lora_obj_ptr: Literal["base", "lora"] = "base"

    def __post_init__(self) -> None:
        """Refuse words that mean nothing."""
        for name, words in (("focal_reduction", ("mean", "col_sum")), ("lora_obj_ptr", ("base", "lora"))):
            if getattr(self, name) not in words:
                raise ValueError(f"{name} must be {' or '.join(map(repr, words))}, got {getattr(self, name)!r}")

    @classmethod
    def of_the_authors(cls) -> Quirks:
        """All of them as in the authors' public code."""
        return cls(
            lora_keep_bias=False,
            focal_reduction="col_sum",
            dropout_at_inference=True,
            train_gate=True,
            accumulate_clicks=False,
        )
