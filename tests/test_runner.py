"""Simulations: the records, their summary recomputed, and what survives an interruption."""

import json
import math
from collections import defaultdict
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from helpers import QUICK, clip, pocket
from PIL import Image

import lit_widget
from lit_widget import SimulationResult, run_simulation
from lit_widget.simulation.cost import CostModel
from lit_widget.simulation.datasets import Sequence, sequence_from_arrays
from lit_widget.video.models import MODELS

FRAMES = 6
BOTH = ("original", "lit-lora")
FIELDS = [
    *("source", "video", "object", "strategy", "corrections", "clicks", "masks", "accepted", "rejected"),
    *("annotation_s", "update_s", "missed", "false_alarms", "j_mean", "frames"),
]
MEASURED = ["annotation_s", "update_s", "propose_s"]


def sequence(kind="union", seed=0, name=None):
    made = clip(kind, seed, FRAMES)
    return sequence_from_arrays(made.frames, made.target, name or f"{kind}-{seed}")


def simulate(sources=None, **options):
    settings = {"model": pocket(), "update": QUICK, "tau": 0.8, "progress": False, **options}
    return run_simulation(sequence() if sources is None else sources, **settings)


@pytest.fixture(scope="module")
def result():
    """Three pairs, one of them with two objects."""
    two = clip("split", 0, FRAMES)
    ids = np.where(two.target, 1, 0)
    ids[:, :20, :20] = 2
    return simulate([sequence(), sequence("part"), sequence_from_arrays(two.frames, ids, "two")])


# --- Records ----------------------------------------------------------------------------------------------------------


def test_records_have_the_documented_fields(result):
    assert list(result.records) == FIELDS
    pairs = [("union-0", 1), ("part-0", 1), ("two", 1), ("two", 2)]
    assert result.records[["video", "object", "strategy"]].to_numpy().tolist() == [
        [*pair, strategy] for pair in pairs for strategy in BOTH
    ]
    assert set(result.records["frames"]) == {FRAMES - 1}
    original = result.records[result.records["strategy"] == "original"]
    assert not original[["accepted", "rejected", "update_s"]].any().any()


def test_records_are_the_sums_of_the_events(result):
    assert result.records["corrections"].sum() > 0
    grouped = defaultdict(list)
    for event in result.events.to_dict("records"):
        grouped[event["video"], event["object"], event["strategy"]].append(event)
    for row in result.records.to_dict("records"):
        own = grouped[row["video"], row["object"], row["strategy"]]
        assert len({event["frame"] for event in own}) == len(own)
        corrected = [event for event in own if event["event"] == "corrected"]
        assert {event["event"] for event in own} <= {"corrected", "accepted"}
        assert row["corrections"] == len(corrected)
        assert row["accepted"] == len(own) - len(corrected)
        assert row["clicks"] == sum(event["n_clicks"] for event in corrected)
        assert row["masks"] == sum(event["full_mask"] for event in corrected)
        assert row["rejected"] == sum(event["rejected"] for event in corrected)
        assert row["update_s"] == pytest.approx(sum(event["update_s"] for event in own))
        human = sum(1 + 1.5 * event["n_clicks"] + 80 * event["full_mask"] for event in corrected)
        waiting = sum(event["update_s"] + event["propose_s"] for event in own)
        assert row["annotation_s"] == pytest.approx(human + waiting)


def test_a_monitor_misses_errors_and_raises_false_alarms():
    """At threshold 1 every mask is wrong, at 0 none is."""
    watched = {tau: simulate(strategies="original", tau=tau, monitor="predicted-iou") for tau in (0.0, 1.0)}
    strict, lax = watched[1.0].records.iloc[0], watched[0.0].records.iloc[0]
    assert strict["missed"] == FRAMES - 1 - strict["corrections"]
    assert (strict["false_alarms"], lax["missed"], lax["corrections"]) == (0, 0, 0)
    assert lax["annotation_s"] == CostModel().locate_s * lax["false_alarms"]
    assert watched[1.0].settings["monitor"] == "predicted-iou"


def test_a_user_misses_nothing(result):
    assert not result.records[["missed", "false_alarms"]].any().any()


def test_nobody_is_automatic_without_a_monitor():
    with pytest.raises(ValueError, match="automatic validation needs a monitor"):
        simulate(automatic=True)


def test_j_is_over_all_judged_frames():
    """Where nothing is an error the mean is the tracker's own."""
    plain = simulate(strategies="original", tau=0.0)
    assert plain.events.empty
    assert plain.records["corrections"].tolist() == [0]
    assert 0 < plain.records["j_mean"].item() < 1
    # At threshold 1 every mask is painted in the end.
    assert simulate(strategies="original", tau=1.0).records["j_mean"].item() == 1.0


def test_the_summary_is_the_arithmetic_of_the_records(result):
    summary = {row["strategy"]: row for row in result.summary.to_dict("records")}
    assert list(summary) == list(BOTH)
    rows = defaultdict(list)
    for row in result.records.to_dict("records"):
        rows[row["strategy"]].append(row)
    for strategy, own in rows.items():
        assert summary[strategy]["pairs"] == len(own) == 4
        for column in ("corrections", "clicks", "masks", "accepted", "annotation_s", "j_mean"):
            assert summary[strategy][column] == pytest.approx(sum(row[column] for row in own) / 4)
    updates = [s for s in result.events.loc[result.events["strategy"] == "lit-lora", "update_s"] if s > 0]
    assert summary["lit-lora"]["update_s"] == pytest.approx(sum(updates) / len(updates))
    assert math.isnan(summary["original"]["update_s"])
    totals = {strategy: sum(row["corrections"] for row in own) for strategy, own in rows.items()}
    assert summary["lit-lora"]["reduction_pct"] == pytest.approx(100 * (1 - totals["lit-lora"] / totals["original"]))
    assert summary["lit-lora"]["reduction_low"] <= summary["lit-lora"]["reduction_pct"]
    assert summary["lit-lora"]["reduction_pct"] <= summary["lit-lora"]["reduction_high"]
    assert summary["original"]["reduction_pct"] == 0.0


def made_up(counts):
    """A result with these corrections per strategy and pair."""
    zeros = dict.fromkeys(FIELDS[4:], 0)
    rows = [
        {"source": "lab", "video": f"v{i}", "object": 1, "strategy": strategy, **zeros, "corrections": n}
        for strategy, numbers in counts.items()
        for i, n in enumerate(numbers)
    ]
    events = pd.DataFrame(columns=["video", "object", "strategy", "frame", "event", "update_s"])
    settings = {"strategies": list(counts), "tau": 0.5, "model": "pocket", "seed": 0}
    return SimulationResult(pd.DataFrame(rows), events, settings)


def test_the_headline_is_over_pairs_with_ten_corrections_or_more():
    made = made_up({"original": [20, 10, 9, 1], "lit-lora": [10, 5, 9, 3]})
    assert made.summary["corrections_ge10"].tolist() == [15.0, 7.5]
    assert made.reduction("lit-lora", many=True).estimate == pytest.approx(50.0)
    assert made.reduction("lit-lora").estimate == pytest.approx(100 * (1 - 27 / 40))
    assert made.reduction("original", against="lit-lora").estimate == pytest.approx(100 * (1 - 40 / 27))


def test_pairs_that_one_strategy_lacks_are_not_compared():
    made = made_up({"original": [4, 6, 100], "lit-lora": [2, 3]})
    assert made.paired("corrections").to_numpy().tolist() == [[4, 2], [6, 3]]
    assert made.reduction("lit-lora").estimate == pytest.approx(50.0)


@pytest.mark.parametrize(("n_clicks", "full", "seconds"), [(0, False, 1.0), (2, False, 4.0), (3, True, 85.5)])
def test_costs_are_the_papers(n_clicks, full, seconds):
    assert CostModel().event_s(n_clicks, full) == seconds


def test_other_costs():
    made = simulate(cost=CostModel(locate_s=10.0, click_s=0.0, mask_s=100.0, validate_s=7.0), tau=1.0)
    row = made.records[made.records["strategy"] == "lit-lora"].iloc[0]
    offered = row["accepted"] + row["rejected"]
    human = 10 * row["corrections"] + 100 * row["masks"] + 7 * offered
    assert offered > 0
    waiting = made.events.loc[made.events["strategy"] == "lit-lora", ["update_s", "propose_s"]].sum().sum()
    assert row["annotation_s"] == pytest.approx(human + waiting)


# --- The same again ---------------------------------------------------------------------------------------------------


def counted(result):
    return [table.drop(columns=MEASURED, errors="ignore") for table in (result.records, result.events)]


def test_equal_seeds_give_equal_records():
    options = {"sources": [sequence("part"), sequence("split")], "tau": 0.9, "seed": 4}
    for one, other in zip(counted(simulate(**options)), counted(simulate(**options)), strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_strategies_do_not_touch_each_other(result):
    alone = simulate(strategies="lit-lora")
    together = result.records[(result.records["video"] == "union-0") & (result.records["strategy"] == "lit-lora")]
    columns = [column for column in FIELDS if column not in MEASURED]
    assert alone.records[columns].to_numpy().tolist() == together[columns].to_numpy().tolist()


def test_settings_say_how_the_numbers_came_about(result):
    assert result.settings["strategies"] == list(BOTH)
    assert (result.settings["tau"], result.settings["seed"], result.settings["model"]) == (0.8, 0, "pocket")
    assert result.settings["update"] == asdict(QUICK.over(MODELS["pocket"].update))
    assert result.settings["versions"]["lit-widget"] == lit_widget.__version__
    assert {"python", "torch", "sam2", "peft", "numpy"} <= set(result.settings["versions"])
    assert simulate(update=None, tau=0.0).settings["update"] == asdict(MODELS["pocket"].update)


# --- Interruptions and files ------------------------------------------------------------------------------------------


def interrupted_at(frame, name="second"):
    """A sequence during which the user presses Ctrl-C."""
    good = sequence(name=name)

    def read(index):
        if index == frame:
            raise KeyboardInterrupt
        return good.read(index)

    return Sequence(name, good.frames, good.annotated, read, {1: 0})


def test_an_interruption_returns_what_is_done(tmp_path):
    made = simulate([sequence(name="first"), interrupted_at(3), sequence(name="third")])
    assert not made.complete
    assert made.records["video"].tolist() == ["first", "first"]
    assert set(made.events["video"]) <= {"first"}
    assert len(made.summary) == 2
    assert "Interrupted" in made._repr_html_()
    assert not SimulationResult.load(made.save(tmp_path / "part.json")).complete


def test_an_interruption_before_anything_is_done(tmp_path):
    made = simulate(interrupted_at(0))
    assert not made.complete
    assert made.records.empty
    again = SimulationResult.load(made.save(tmp_path / "nothing.json"))
    assert again.records.empty
    assert list(again.records) == FIELDS
    assert again.summary.empty
    assert "Interrupted" in made._repr_html_()


def test_save_and_load(result, tmp_path):
    path = result.save(tmp_path / "result.json")
    assert [file.name for file in tmp_path.iterdir()] == ["result.json"]
    data = json.loads(path.read_text())
    assert data["schema"] == 1
    assert data["complete"] is True
    assert [list(row) for row in data["records"]] == [FIELDS] * 8
    assert data["summary"][0]["update_s"] is None
    again = SimulationResult.load(path)
    assert again.settings == result.settings
    pd.testing.assert_frame_equal(again.records, result.records)
    pd.testing.assert_frame_equal(again.events, result.events)
    pd.testing.assert_frame_equal(again.summary, result.summary)


@pytest.mark.parametrize("text", ["[]", '{"schema": 2}', "nothing", ""])
def test_other_files_are_refused(tmp_path, text):
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(ValueError):
        SimulationResult.load(tmp_path / "other.json")


def test_tables_and_figures(result):
    html = simulate(sequence(name="<script>"), strategies=["original", "token-0"])._repr_html_()
    assert "token-0" in html
    assert "<script>" not in html
    assert [len(axes.lines) for axes in result.plot().axes] == [2, 2]


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"strategies": ["original", "lit-lara"]}, r"unknown strategy 'lit-lara'; did you mean lit-lora"),
        ({"strategies": []}, "no strategy was given; choose from original, lit-lora"),
        ({"model": "sam2.1-larg"}, r"unknown model 'sam2.1-larg'; did you mean sam2.1-large"),
        ({"tau": 1.5}, "tau is an IoU from 0 to 1, got 1.5"),
        ({"tau": math.nan}, "tau is an IoU from 0 to 1, got nan"),
        ({"sources": []}, "no source was given"),
        ({"sources": "embedded:esay:0"}, "unknown kind 'esay'"),
    ],
)
def test_impossible_requests(options, reason):
    with pytest.raises(ValueError, match=reason):
        simulate(**options)


def test_sequences_of_one_name_are_told_apart(tmp_path):
    """Two of a name given as such, and two in folders of one name."""
    same = simulate([sequence(name="walk"), sequence("part", name="walk")], strategies="original")
    assert same.records["source"].tolist() == ["walk", "walk (2)"]
    for folder, kind in (("lab", "union"), ("other/lab", "part")):
        save_davis(tmp_path / folder, clip(kind, 0, FRAMES))
    made = simulate([tmp_path / "lab", tmp_path / "other" / "lab"])
    assert made.records["source"].tolist() == [f"{tmp_path.name}/lab"] * 2 + ["other/lab"] * 2
    assert set(made.records["video"]) == {"walk"}
    assert made.summary["pairs"].tolist() == [2, 2]
    assert "over 2 pairs" in repr(made)
    assert made.summary["corrections"].sum() * 2 == made.records["corrections"].sum()
    with pytest.raises(ValueError, match=r"lab/\.\./lab' are the same data; give it once"):
        simulate([tmp_path / "lab", tmp_path / "lab" / ".." / "lab"])


def save_davis(folder, made):
    for t in range(FRAMES):
        for name, image in (("JPEGImages", made.frames[t]), ("Annotations", made.target[t].astype(np.uint8))):
            path = folder / name / "walk" / f"{t:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)


def test_files_without_sources_are_read(result, tmp_path):
    data = result.to_json()
    for row in [*data["records"], *data["events"]]:
        del row["source"]
    (tmp_path / "old.json").write_text(json.dumps(data))
    again = SimulationResult.load(tmp_path / "old.json").summary
    pd.testing.assert_frame_equal(again.iloc[:, :10], result.summary.iloc[:, :10])  # order matters to the intervals


def test_a_strategy_named_twice_runs_once():
    assert simulate(strategies=["original", "original"], tau=0.0).records["strategy"].tolist() == ["original"]
