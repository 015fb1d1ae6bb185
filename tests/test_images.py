"""Live classification on features with a systematic fault: the promises of a learner, the protocol, its numbers."""

import pytest
import torch
from peft.tuners.tuners_utils import BaseTunerLayer

from lit_widget.core.adapter import Adapter
from lit_widget.core.checks import check_learner
from lit_widget.images.head import PLACEMENTS, Head
from lit_widget.images.learner import ImageItem, ImageLearner, corrected
from lit_widget.images.losses import LossConfig, label_loss, lead
from lit_widget.simulation.classification import STRATEGIES, grouped, simulate_classification

WIDE, CLASSES = (768, 512), 24


def head(width=WIDE, n_classes=CLASSES, seed=0):
    draw = torch.Generator().manual_seed(seed)
    pooled, embedded = width
    projection = torch.randn(embedded, pooled, generator=draw) / pooled**0.5
    return Head(projection, torch.randn(n_classes, embedded, generator=draw))


def shifted(n=40, seed=0, width=WIDE):
    """Images of four classes that all look like class 0 to the frozen model, each in its own direction."""
    made, draw = head(width), torch.Generator().manual_seed(seed)
    inverse = torch.linalg.pinv(made.projection.weight)
    labels = [20 + index % 4 for index in range(n)]
    first = 4 * made.classes[0] + 2 * made.classes[1:4].sum(0)
    wanted = first + 1.2 * made.classes[labels] + 0.02 * torch.randn(n, width[1], generator=draw)
    return made, wanted @ inverse.T, labels


def learner_on(**options):
    made, features, labels = shifted()
    return ImageLearner(made, features, **options), labels


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_it_is_a_live_learner(placement):
    learner, labels = learner_on(recipe=PLACEMENTS[placement].recipe())
    items = [ImageItem(0, 0), ImageItem(4, 0)]
    done = check_learner(
        learner,
        items,
        lambda item: corrected(item, labels[item.image], CLASSES),
        lambda one, other: torch.equal(one.scores, other.scores),
    )
    assert len(done) > 10


@pytest.mark.parametrize(("placement", "count"), [("projection", 10_240), ("residual", 8_192)])
def test_the_papers_number_of_parameters_is_trained(placement, count):
    adapter = Adapter(head(), PLACEMENTS[placement].recipe(), seed=0)
    assert adapter.n_parameters == count
    assert sum(isinstance(module, BaseTunerLayer) for module in adapter.module.modules()) == 1


def test_the_loss_is_the_papers():
    scores, weights = torch.tensor([2.0, 1.0, 0.5]), [torch.nn.Parameter(torch.tensor([3.0, 4.0]))]
    config = LossConfig(margin=1.5, margin_weight=2.0, decay=0.1)
    expected = -torch.log_softmax(scores, 0)[0] + 2.0 * (1.5 - 1.0) + 0.1 * 25.0
    assert torch.allclose(label_loss(scores, 0, lead(scores, 0), weights, config), expected)
    assert lead(scores, 2) == -1.5
    assert torch.allclose(
        label_loss(scores, 0, lead(scores, 0), weights, LossConfig(0.5, 2.0, 0.0)), -torch.log_softmax(scores, 0)[0]
    )


def test_one_correction_serves_the_next_image_of_the_kind():
    learner, labels = learner_on()
    first, next_one = (learner.predict_one(ImageItem(image, 0)) for image in (0, 4))
    assert labels[0] == labels[4]
    assert labels[4] not in next_one.output.top()
    report = learner.learn_one(first, corrected(first.item, labels[0], CLASSES))
    assert report.stopped in ("patience", "epochs")
    assert report.losses[-1] < report.losses[0]
    assert labels[4] in learner.propose_one(next_one).output.top()
    assert learner.propose_one(learner.predict_one(ImageItem(4, 1))) is None, "another group has an adapter of its own"


def test_the_protocol_counts_what_the_user_gives():
    learner, labels = learner_on()
    assert grouped(learner) == {0: list(range(40))}
    result = simulate_classification(learner, labels, strategies=tuple(STRATEGIES), shuffles=2)
    table = result.records.pivot_table(index="order", columns="strategy", values="corrections")
    assert table.shape == (3, 3)
    assert (table["original"] == 40).all()
    assert (table["lit-lora"] < 30).all()
    assert result.reduction("lit-lora").estimate > 25
    assert set(result.summary["strategy"]) == set(STRATEGIES)
    repeated = simulate_classification(learner, labels, strategies=tuple(STRATEGIES), shuffles=2)
    columns = ["group", "order", "strategy", "corrections", "accepted"]
    assert repeated.records[columns].equals(result.records[columns])


def test_a_label_that_is_given_is_proposed_again_by_the_control():
    learner, labels = learner_on()
    control = STRATEGIES["frequent-labels"]
    prediction = learner.predict_one(ImageItem(4, 0))
    assert control.propose(learner, prediction) == ()
    given = corrected(ImageItem(0, 0), labels[0], CLASSES)
    learner.settle_one(given.item, given.output, verdict="corrected")
    (proposal,) = control.propose(learner, prediction)
    assert proposal.output.top(1) == [labels[4]]


def test_what_does_not_fit_is_said():
    learner, labels = learner_on()
    with pytest.raises(ValueError, match="needs a label from 0 to 23, got 3 labels"):
        simulate_classification(learner, labels[:3])
    with pytest.raises(ValueError, match="original among them; got lit-lora"):
        simulate_classification(learner, labels, strategies=["lit-lora"])
    with pytest.raises(IndexError, match="there is no image 40; images are 0 to 39"):
        learner.predict_one(ImageItem(40, 0))
