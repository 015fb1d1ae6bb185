"""How far help reaches, and what a saved adapter brings: the probe on a clip, and both benchmarks' arithmetic."""

import numpy as np
import pandas as pd
import pytest
from helpers import FRAMES, clip, learner_on

from benchmarks.horizon import Probe, reach
from benchmarks.transfer import BEGINNINGS, compared
from lit_widget.core.strategy import LitLora, Original
from lit_widget.simulation.datasets import sequence_from_arrays
from lit_widget.simulation.protocol import Annotator, run_pair
from lit_widget.simulation.user import SimulatedUser
from lit_widget.video.strategies import FrozenCloseUp


def probed(inner):
    """What a user finds who wants more than the model gives."""
    made, user = clip("union"), SimulatedUser(tau=0.95)
    sequence = sequence_from_arrays(made.frames, made.target, "clip")
    learner = learner_on("union", objects=())
    probe = Probe(inner, Annotator(learner, sequence, 1, user))
    return probe, run_pair(learner, sequence, 1, probe, user), learner


def test_the_probe_teaches_once_and_offers_nothing():
    probe, results, learner = probed(LitLora())
    first = next(result.frame for result in results if result.event == "corrected")
    assert {result.event for result in results} <= {"tracked", "corrected"}
    assert (probe.taught, learner.adapters.get(1).version) == ([first], 1)
    assert [row["ahead"] for row in probe.rows] == list(range(1, FRAMES - first))
    assert any(row["proposed"] != row["tracked"] for row in probe.rows)
    assert [row["tracked"] for row in probe.rows] == [each.tracked_iou for each in results if each.frame > first]


def test_what_needs_no_learning_is_measured_from_the_first_error_on():
    probe, _, learner = probed(FrozenCloseUp())
    assert probe.rows
    assert learner.adapters.trained(1) is None


def test_without_proposals_nothing_is_gained():
    probe, *_ = probed(Original())
    assert all(row["tracked"] == row["proposed"] for row in probe.rows)


def test_reach_counts_errors_up_to_each_distance_once():
    rows = pd.DataFrame(
        {
            "strategy": "lit-lora",
            "ahead": [1, 1, 3, 5, 20],
            "tracked": [0.2, 0.8, 0.4, 0.4, 0.9],
            "proposed": [0.6, 0.7, 0.9, 0.1, 0.9],
        }
    )
    table = reach(rows, 0.5).set_index("ahead")
    assert list(table.index) == [1, 5, 20]
    assert table["pairs"].tolist() == [2, 1, 1]
    assert table["gain"].tolist() == pytest.approx([0.15, -0.3, 0.0])
    assert table["errors"].tolist() == [1, 2, 0]
    assert table["rescued_pct"].tolist()[:2] == [100.0, 50.0]
    assert np.isnan(table["rescued_pct"][20])


def test_a_beginning_is_compared_with_a_fresh_adapter():
    rows = pd.DataFrame({"fresh": [4, 6], "same kind": [2, 3], "other kind": [4, 7]})
    table = compared(rows).set_index("adapter")
    assert list(table.index) == list(BEGINNINGS)
    assert table["reduction_pct"].tolist() == pytest.approx([0, 50, -10])
