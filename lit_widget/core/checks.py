"""Checks that any live learner must pass; run them on your own with `check_learner`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from .learner import LiveLearner
from .types import Correction, Item, Snapshot

Equal = Callable[[Any, Any], bool]


def check_learner(
    learner: LiveLearner,
    items: Sequence[Item],
    correct: Callable[[Item], Correction],
    equal: Equal,
) -> list[str]:
    """Check the promises of `LiveLearner`; the learner is reset afterwards.

    Args:
        learner: anything with the methods of `LiveLearner`, able to predict `items` now.
        items: at least two items that share an adapter.
        correct: gives a correction of an item that teaches something.
        equal: whether two outputs are exactly equal.

    Returns:
        Names of the checks, in the order run.

    Raises:
        AssertionError: naming the promise that does not hold.

    Example:
        ```python
        from lit_widget.core.types import Correction
        from lit_widget.video.adaptation import MaskTarget, VideoItem
        from lit_widget.video.frames import open_frames
        from lit_widget.video.learner import VideoLearner

        quick = UpdateConfig(learning_rate=1e-3, epochs=3)
        learner = VideoLearner(load_model("pocket"), open_frames(clip.frames), update=quick)
        learner.prompt(VideoItem(0, 1), learner.from_mask(0, clip.target[0]))


        def correct(item):
            truth = clip.target[item.frame]
            return Correction(item, learner.from_mask(item.frame, truth), MaskTarget(truth, None), full=True)


        def equal(one, other):
            return one.logits.equal(other.logits) and one.object_score.equal(other.object_score)


        check_learner(learner, [VideoItem(2, 1), VideoItem(4, 1)], correct, equal)
        ```
    """
    first, second = items[0], items[1]
    learner.reset()
    fresh = learner.snapshot()
    prediction = learner.predict_one(first)
    before = learner.predict_one(second)
    done = []

    def check(name: str, holds: bool) -> None:
        assert holds, f"{type(learner).__name__} breaks a promise of LiveLearner: {name}"
        done.append(name)

    check("is a LiveLearner", isinstance(learner, LiveLearner))
    check("predicting twice gives the same", equal(learner.predict_one(first).output, prediction.output))
    check("nothing is proposed before anything was learned", learner.propose_one(prediction) is None)
    report = learner.learn_one(prediction, correct(first))
    check("a correction is learned", report is not None and report.version == 1 and not report.rolled_back)
    check("learning leaves the frozen model alone", equal(learner.predict_one(second).output, before.output))
    proposal = learner.propose_one(before)
    check("a trained adapter proposes", proposal is not None)
    assert proposal is not None
    check("a proposal names what it was learned from", proposal.version == 1 and proposal.learned_from == (first,))
    agreement = learner.agreement(proposal.output, correct(second))
    check("agreement is a share", 0.0 <= agreement <= 1.0)
    repeated = learner.propose_one(before)
    check("proposing twice gives the same", repeated is not None and equal(repeated.output, proposal.output))
    learned = learner.snapshot()
    learner.learn_one(before, correct(second))
    check("an earlier snapshot does not change", not same_weights(learned, learner.snapshot()))
    learner.restore(learned)
    again = learner.propose_one(before)
    check("restoring a snapshot restores its weights", same_weights(learned, learner.snapshot()))
    check("restoring a snapshot restores its proposals", again is not None and equal(again.output, proposal.output))
    learner.restore(fresh)
    check("restoring the fresh state forgets", learner.propose_one(before) is None)
    learner.learn_one(prediction, correct(first))
    check("equal corrections give equal weights", same_weights(learned, learner.snapshot()))
    learner.settle_one(first, prediction.output, verdict="corrected")
    learner.restore(fresh)
    check("restoring restores what was settled", equal(learner.predict_one(second).output, before.output))
    learner.reset()
    check("a reset learner proposes nothing", learner.propose_one(before) is None)
    return done


def same_weights(left: Snapshot, right: Snapshot) -> bool:
    """Whether two snapshots hold bit-identical adapters."""
    if left.adapters.keys() != right.adapters.keys():
        return False
    return all(
        state.tensors.keys() == right.adapters[key].tensors.keys()
        and all(torch.equal(tensor, right.adapters[key].tensors[name]) for name, tensor in state.tensors.items())
        for key, state in left.adapters.items()
    )
