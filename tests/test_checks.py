"""`check_learner` passes what keeps its promises and names the promise that a broken learner breaks."""

from dataclasses import replace

import pytest
from helpers import QUICK, clip, correction, encoded, learner_on, pocket, same_output

from lit_widget import check_learner
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.frames import open_frames
from lit_widget.video.learner import VideoLearner

KIND = "union"
ITEMS = [VideoItem(2, 1), VideoItem(4, 1)]


def check(cls=VideoLearner):
    target = clip(KIND).target
    learner = cls(pocket(), open_frames(clip(KIND).frames), update=QUICK, features=encoded(KIND, 0, len(target)))
    learner.prompt(VideoItem(0, 1), learner.from_mask(0, target[0]))
    return check_learner(learner, ITEMS, lambda item: correction(learner, item, target[item.frame]), same_output)


def test_the_video_learner_keeps_its_promises():
    done = check()
    assert len(done) == len(set(done)) >= 15


class Forgetful(VideoLearner):
    """Restores memory but not weights."""

    def restore(self, snapshot):
        super().restore(replace(snapshot, adapters=self.adapters.snapshot()))


class Leaky(VideoLearner):
    """Lets the adapter into the tracking path."""

    def predict_one(self, item):
        prediction = super().predict_one(item)
        proposal = self.propose_one(prediction)
        return prediction if proposal is None else replace(prediction, output=proposal.output)


class Shared(VideoLearner):
    """Hands out its weights instead of copies."""

    def snapshot(self):
        snapshot = super().snapshot()
        live = {
            key: replace(state, tensors={name: p.detach() for name, p in self.adapters.get(*key).parameters.items()})
            for key, state in snapshot.adapters.items()
        }
        return replace(snapshot, adapters=live)


class Eager(VideoLearner):
    """Proposes although nothing was learned."""

    def propose_one(self, prediction, *, slot=0):
        self.adapters.get(prediction.item.object).version += 1
        return super().propose_one(prediction)


class Restless(VideoLearner):
    """Settles what it is asked to predict."""

    def predict_one(self, item):
        prediction = super().predict_one(item)
        self.settle_one(VideoItem(item.frame - 1, item.object), self.from_mask(0, ~clip(KIND).target[0]), full=True)
        return prediction


@pytest.mark.parametrize(
    ("cls", "promise"),
    [
        (Forgetful, "restoring a snapshot restores its weights"),
        (Leaky, "learning leaves the frozen model alone"),
        (Shared, "an earlier snapshot does not change"),
        (Eager, "nothing is proposed before anything was learned"),
        (Restless, "predicting twice gives the same"),
    ],
)
def test_broken_promises_are_named(cls, promise):
    with pytest.raises(AssertionError, match=f"{cls.__name__} breaks a promise of LiveLearner: {promise}"):
        check(cls)


def test_the_learner_is_reset_afterwards():
    learner = learner_on(KIND)
    target = clip(KIND).target
    check_learner(learner, ITEMS, lambda item: correction(learner, item, target[item.frame]), same_output)
    assert learner.adapters.trained(1) is None
    assert list(learner.bank(1).records) == [0]
