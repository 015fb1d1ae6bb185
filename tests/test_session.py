"""The one loop: the order of events, and undo on the real learner."""

import pytest
import torch
from helpers import clip, correction, learner_on

from lit_widget.core.checks import same_weights
from lit_widget.core.session import MAX_UNDO, Accepted, Corrected, LiveSession, Rejected, Tracked
from lit_widget.core.strategy import LitLora, LoraNoCl, Original, ReplaceOriginal, find_strategy
from lit_widget.core.types import AdapterState, Correction, Prediction, Proposal, Snapshot, UpdateReport
from lit_widget.video.learner import VideoItem
from lit_widget.video.strategies import STRATEGIES, PreviousMask, Token0


class Numbers:
    """A learner whose outputs are numbers and whose adapter remembers the last correction."""

    def __init__(self):
        self.known, self.settled, self.calls = None, {}, []

    def predict_one(self, item):
        self.calls.append("predict")
        return Prediction(item, 0)

    def propose_one(self, prediction):
        self.calls.append("propose")
        return None if self.known is None else Proposal(prediction.item, self.known, version=1)

    def settle_one(self, item, output, *, verdict="kept", full=False):
        self.calls.append(f"settle {verdict}" + " in full" * full)
        self.settled[item] = output

    def learn_one(self, prediction, correction):
        self.calls.append("learn")
        self.known = correction.target
        return UpdateReport(1, (1.0,), (0.0,), "epochs", 0.5)

    def snapshot(self):
        weights = {"w": torch.tensor(self.known or 0)}
        return Snapshot({"": AdapterState(1, (), weights)}, (self.known, dict(self.settled)))

    def restore(self, snapshot):
        self.known, self.settled = snapshot.memory[0], dict(snapshot.memory[1])

    def reset(self):
        self.known = None


class Wants:
    """A user who wants one number on every item."""

    def __init__(self, number):
        self.number, self.seen = number, []

    def finds_wrong(self, item, output):
        self.seen.append(output)
        return output != self.number

    def correct(self, prediction):
        return Correction(prediction.item, self.number, self.number, 2, full=self.number == 9)


def test_the_loop_in_order():
    learner, events = Numbers(), []
    session = LiveSession(learner, LitLora(), on_event=events.append)
    turns = [
        (None, Tracked, ["predict", "settle kept"]),
        (Wants(0), Tracked, ["predict", "settle kept"]),
        (Wants(5), Corrected, ["predict", "propose", "learn", "settle corrected"]),
        (Wants(5), Accepted, ["predict", "propose", "settle accepted"]),
        (Wants(9), Corrected, ["predict", "propose", "learn", "settle corrected in full"]),
    ]
    for item, (user, kind, calls) in enumerate(turns):
        learner.calls.clear()
        event = session.step(item, user)
        assert type(event) is kind
        assert learner.calls == calls
        assert event is events[-1]
    assert [type(event) for event in events] == [Tracked, Tracked, Corrected, Accepted, Rejected, Corrected]
    assert learner.settled == {0: 0, 1: 0, 2: 5, 3: 5, 4: 9}
    # The user judges the prediction, then the proposal, and nothing else.
    assert [user.seen for user, _, _ in turns[1:]] == [[0], [0], [0, 5], [0, 5]]


def test_without_continual_learning_only_the_first_correction_is_learned():
    learner = Numbers()
    session = LiveSession(learner, LoraNoCl())
    events = [session.step(item, Wants(number)) for item, number in enumerate((5, 6, 5))]
    assert [type(event) for event in events] == [Corrected, Corrected, Accepted]
    assert [event.update is None for event in events[:2]] == [False, True]
    assert (learner.known, learner.settled) == (5, {0: 5, 1: 6, 2: 5})


def test_an_adapter_that_replaces_the_model_is_asked_before_the_user_is():
    learner = Numbers()
    session = LiveSession(learner, ReplaceOriginal())
    events = [session.step(item, Wants(number)) for item, number in enumerate((5, 5, 0, 0))]
    assert [type(event) for event in events] == [Corrected, Tracked, Corrected, Tracked]
    assert learner.settled == {0: 5, 1: 5, 2: 0, 3: 0}
    assert learner.calls.count("learn") == 2


def test_events_say_what_happened_and_how_long_it_took():
    events = []
    session = LiveSession(Numbers(), LitLora(), on_event=events.append)
    session.step("a", Wants(5))
    session.step("b", Wants(6))
    first, rejected, second = events
    assert (first.correction.item, first.correction.n_clicks, first.update.version) == ("a", 2, 1)
    assert (rejected.proposal.item, rejected.proposal.output, rejected.proposal.version) == ("b", 5, 1)
    assert rejected.proposal.propose_s > 0
    assert session.predict("c").predict_s > 0
    assert second.correction.output == 6


def test_the_original_strategy_neither_proposes_nor_learns():
    learner = Numbers()
    session = LiveSession(learner, Original())
    for item in range(3):
        event = session.step(item, Wants(5))
        assert type(event) is Corrected
        assert event.update is None
    assert learner.known is None
    assert "learn" not in learner.calls


def test_undo_goes_back_verdict_by_verdict():
    learner = Numbers()
    session = LiveSession(learner, LitLora())
    assert not session.can_undo
    with pytest.raises(IndexError, match="nothing to undo"):
        session.undo()
    states = []
    for item, wanted in enumerate([5, 5, 7, 7]):
        states.append((learner.known, dict(learner.settled)))
        session.step(item, Wants(wanted))
    while states:
        session.undo()
        assert (learner.known, learner.settled) == states.pop()
    assert not session.can_undo


def test_the_history_is_bounded():
    session = LiveSession(Numbers(), LitLora())
    for item in range(MAX_UNDO + 5):
        session.step(item, Wants(item + 1))
    for _ in range(MAX_UNDO):
        session.undo()
    assert not session.can_undo


def test_strategies_by_name():
    assert find_strategy("lit-lora", STRATEGIES) == LitLora()
    with pytest.raises(ValueError, match=r"unknown strategy 'lit-lara'; did you mean lit-lora\? choose from"):
        find_strategy("lit-lara", STRATEGIES)


# --- On the real learner ----------------------------------------------------------------------------------------------

TARGET = clip("union").target


class Painter:
    """A user who finds everything wrong, or everything but proposals, and paints the truth."""

    def __init__(self, learner, *, accepts=False):
        self.learner, self.accepts, self.asked = learner, accepts, 0

    def finds_wrong(self, item, output):
        self.asked += 1
        return self.asked == 1 or not self.accepts

    def correct(self, prediction):
        return correction(self.learner, prediction.item, TARGET[prediction.item.frame])


def state_of(learner):
    """Weights, masks and memory, and what they lead to on a later frame."""
    records = {item: dict(bank.records) for item, bank in learner.banks.items()}
    return learner.snapshot(), records, learner.predict_one(VideoItem(7, 1)).output


def assert_same_state(left, right):
    assert same_weights(left[0], right[0])
    assert {key: state.version for key, state in left[0].adapters.items()} == {
        key: state.version for key, state in right[0].adapters.items()
    }
    assert left[1].keys() == right[1].keys()
    for each, records in left[1].items():
        assert records.keys() == right[1][each].keys()
        assert all(record is right[1][each][frame] for frame, record in records.items())
    assert torch.equal(left[2].logits, right[2].logits)


def test_undo_restores_masks_memory_and_weights_exactly():
    learner = learner_on("union")
    session = LiveSession(learner, LitLora())
    states = []
    for frame, accepts in ((1, False), (2, True), (3, False)):
        states.append(state_of(learner))
        event = session.step(VideoItem(frame, 1), Painter(learner, accepts=accepts))
        assert type(event) is (Accepted if accepts else Corrected)
    statuses = [record.status for record in learner.bank(1).records.values()]
    assert statuses == ["prompted", "corrected", "accepted", "corrected"]
    while states:
        session.undo()
        assert_same_state(state_of(learner), states.pop())
    assert learner.adapters.trained(1) is None


def test_what_is_learned_after_undo_is_what_was_learned_before():
    learner = learner_on("union")
    session = LiveSession(learner, LitLora())
    session.step(VideoItem(1, 1), Painter(learner))
    learned = learner.snapshot()
    session.undo()
    session.step(VideoItem(1, 1), Painter(learner))
    assert same_weights(learned, learner.snapshot())


def test_controls_propose_without_learning():
    learner = learner_on("union")
    prediction = learner.predict_one(VideoItem(1, 1))
    token = Token0().propose(learner, prediction)
    single = learner.model.decode(prediction.evidence.fused, prediction.evidence.features, multimask=False)[0]
    assert torch.equal(token.output.logits, single.logits)
    assert torch.equal(token.output.pointer, prediction.output.pointer)
    copy = PreviousMask().propose(learner, prediction)
    assert torch.equal(copy.output.logits, learner.bank(1).records[0].output.logits)
    assert PreviousMask().propose(learner, learner.predict_one(VideoItem(5, 1))) is None
    for control in (Token0(), PreviousMask()):
        event = LiveSession(learner, control).step(VideoItem(1, 1), Painter(learner))
        assert event.update is None
        assert learner.adapters.trained(1) is None
