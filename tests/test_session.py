"""The one loop: the order of events, and undo on the real learner."""

import pytest
import torch
from helpers import clip, correction, learner_on

from lit_widget.core.checks import same_weights
from lit_widget.core.history import MAX_UNDO
from lit_widget.core.session import Accepted, Corrected, LiveSession, Rejected, Tracked
from lit_widget.core.strategy import LitLora, LoraNoCl, Original, ReplaceOriginal, ThreeLoras, find_strategy
from lit_widget.core.types import AdapterState, Correction, Prediction, Proposal, Snapshot, UpdateReport
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.strategies import STRATEGIES, PreviousMask, Token0


class Numbers:
    """A learner whose outputs are numbers and whose adapters remember their last corrections."""

    def __init__(self):
        self.slots, self.settled, self.calls = {}, {}, []

    @property
    def known(self):
        return self.slots.get(0)

    def predict_one(self, item):
        self.calls.append("predict")
        return Prediction(item, 0)

    def propose_one(self, prediction, *, slot=0):
        self.calls.append("propose")
        return Proposal(prediction.item, self.slots[slot], version=1) if slot in self.slots else None

    def agreement(self, output, correction):
        return 1 / (1 + abs(output - correction.target))

    def settle_one(self, item, output, *, verdict="kept", full=False):
        self.calls.append(f"settle {verdict}" + " in full" * full)
        self.settled[item] = output

    def learn_one(self, prediction, correction, *, slot=0):
        self.calls.append("learn")
        self.slots[slot] = correction.target
        return UpdateReport(1, (1.0,), (0.0,), "epochs", 0.5)

    def snapshot(self):
        adapters = {("", slot): AdapterState(1, (), {"w": torch.tensor(number)}) for slot, number in self.slots.items()}
        return Snapshot(adapters, dict(self.settled))

    def restore(self, snapshot):
        self.slots = {slot: int(state.tensors["w"]) for (_, slot), state in snapshot.adapters.items()}
        self.settled = dict(snapshot.memory)

    def reset(self):
        self.slots = {}


class Wants:
    """A user who wants one number on every item."""

    def __init__(self, number):
        self.number, self.seen = number, []

    def finds_wrong(self, item, output):
        self.seen.append(output)
        return output != self.number

    def choose(self, proposals):
        return next((each for each in proposals if not self.finds_wrong(each.item, each.output)), None)

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
    (refused,) = rejected.proposals
    assert (refused.item, refused.output, refused.version) == ("b", 5, 1)
    assert refused.propose_s > 0
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
    assert not session.history.can_undo
    with pytest.raises(IndexError, match="nothing to undo"):
        session.undo()
    states = []
    for item, wanted in enumerate([5, 5, 7, 7]):
        states.append((learner.known, dict(learner.settled)))
        session.step(item, Wants(wanted))
    while states:
        session.undo()
        assert (learner.known, learner.settled) == states.pop()
    assert not session.history.can_undo


def test_redo_goes_forward_again_until_something_new_is_done():
    learner = Numbers()
    session = LiveSession(learner, LitLora())
    states = [(learner.known, dict(learner.settled))]
    for item, wanted in enumerate([5, 7]):
        session.step(item, Wants(wanted))
        states.append((learner.known, dict(learner.settled)))
    session.undo()
    session.undo()
    for state in states[1:]:
        session.redo()
        assert (learner.known, learner.settled) == state
    with pytest.raises(IndexError, match="nothing to redo"):
        session.redo()
    session.undo()
    session.step(9, Wants(8))
    assert not session.history.can_redo


def test_three_adapters_propose_side_by_side_and_the_closest_learns():
    learner = Numbers()
    session = LiveSession(learner, ThreeLoras())
    for item, wanted in enumerate((10, 20, 30)):
        assert type(session.step(item, Wants(wanted))) is Corrected
    assert learner.slots == {0: 10, 1: 20, 2: 30}
    event = session.step(3, Wants(20))
    assert type(event) is Accepted
    assert event.proposal.output == 20
    session.step(4, Wants(27))
    assert learner.slots == {0: 10, 1: 20, 2: 27}


def test_a_forgotten_correction_was_never_learned():
    learner = Numbers()
    session = LiveSession(learner, ThreeLoras())
    for item, wanted in enumerate((10, 20, 30, 27)):
        session.step(item, Wants(wanted))
    assert learner.slots == {0: 10, 1: 20, 2: 27}
    assert len(session.forget(1)) == 2
    assert learner.slots == {0: 10, 1: 30, 2: 27}
    assert learner.settled == {0: 10, 1: 20, 2: 30, 3: 27}
    assert [lesson.verdict.item for lesson in session.lessons] == [0, 2, 3]
    with pytest.raises(KeyError, match="no correction of 1 was learned"):
        session.forget(1)
    session.undo()
    assert learner.slots == {0: 10, 1: 20, 2: 27}
    assert len(session.lessons) == 4


def test_the_history_is_bounded():
    session = LiveSession(Numbers(), LitLora())
    for item in range(MAX_UNDO + 5):
        session.step(item, Wants(item + 1))
    for _ in range(MAX_UNDO):
        session.undo()
    assert not session.history.can_undo


def test_strategies_by_name():
    assert find_strategy("lit-lora", STRATEGIES) == LitLora()
    with pytest.raises(ValueError, match=r"unknown strategy 'lit-lara'; did you mean lit-lora.*\? choose from"):
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

    def choose(self, proposals):
        return proposals[0] if self.accepts else None

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
    states.append(state_of(learner))
    for state in states[-2::-1]:
        session.undo()
        assert_same_state(state_of(learner), state)
    assert learner.adapters.trained(1) is None
    for state in states[1:]:
        session.redo()
        assert_same_state(state_of(learner), state)


@pytest.mark.parametrize("strategy", [LitLora(), ThreeLoras()], ids=lambda each: each.name)
def test_forgetting_gives_the_weights_of_never_having_learned(strategy):
    learner = learner_on("union")
    session = LiveSession(learner, strategy)
    for frame in (1, 2, 3):
        session.step(VideoItem(frame, 1), Painter(learner))
    lessons = session.lessons
    session.forget(VideoItem(2, 1))
    forgotten = learner.snapshot()
    assert [item.frame for each in forgotten.adapters.values() for item in each.learned_from] == [1, 3]
    learner.reset()
    for lesson in (lessons[0], lessons[2]):
        strategy.learn(learner, lesson.prediction, lesson.verdict)
    assert same_weights(forgotten, learner.snapshot())


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
    (token,) = Token0().propose(learner, prediction)
    single = learner.model.decode(prediction.evidence.fused, prediction.evidence.features, multimask=False)[0]
    assert torch.equal(token.output.logits, single.logits)
    assert torch.equal(token.output.pointer, prediction.output.pointer)
    (copy,) = PreviousMask().propose(learner, prediction)
    assert torch.equal(copy.output.logits, learner.bank(1).records[0].output.logits)
    assert PreviousMask().propose(learner, learner.predict_one(VideoItem(5, 1))) == ()
    for control in (Token0(), PreviousMask()):
        event = LiveSession(learner, control).step(VideoItem(1, 1), Painter(learner))
        assert event.update is None
        assert learner.adapters.trained(1) is None
