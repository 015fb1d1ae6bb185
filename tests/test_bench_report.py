"""Reports of benchmarks: what is printed, drawn and kept, and that no data is needed for it."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from test_bench import data, record  # noqa: F401 - a fixture

from lit_widget import cli
from lit_widget.simulation.bench.experiments import EXPERIMENTS
from lit_widget.simulation.bench.figures import analysis_figure, budget_figure, main_figure
from lit_widget.simulation.bench.run import run_bench
from lit_widget.simulation.bench.styles import styles
from lit_widget.simulation.bench.tables import analysis_table, budget_table, main_table
from lit_widget.simulation.bench.text import report_text


def made(*rows, **options):
    """Records of (video, strategy, corrections)."""
    return pd.DataFrame([{**record(*row, **options), "model": "pocket"} for row in rows])


def settings(tau=0.5):
    return {"arms": [{"tau": tau}], "seeds": [0], "strategies": ["original", "lit-lora"], "model": "pocket"}


TWO = [("a", "original", 12), ("a", "lit-lora", 6), ("b", "original", 4), ("b", "lit-lora", 3)]


# --- What is printed --------------------------------------------------------------------------------------------------


def test_the_printed_table_explains_itself():
    text = report_text(main_table(made(*TWO, source="lab")), settings())
    table, rest = text.split("Means per", 1)
    assert "over 2 pairs of lab, model pocket, tau 0.5, seed 0;" in rest
    for explained in ("95 % bootstrap", "A correction is", "against original", "machine that ran it", "in per cent"):
        assert explained in rest
    assert "43.75 [25.00, 50.00]" in table  # fewer corrections
    assert "paper" not in table
    assert "has no such numbers of these data sets" in rest
    assert "fewer than 5 pairs" in rest
    many = made(*[(f"{name}{i}", *row) for i in range(3) for name, *row in TWO], source="vost:/d")
    text = report_text(main_table(many), settings())
    assert "corrections, paper" in text
    assert "18.24" in text
    assert "left out" not in text


@pytest.mark.parametrize("table", [budget_table, analysis_table])
def test_one_pair_has_no_interval(table):
    records = pd.concat([made(*TWO[:1], source="lab", budget=budget) for budget in (None, 0)])
    found = table(records)
    assert found["pairs"].tolist() == [1] * len(found)
    assert found[[name for name in found if name.endswith((" low", " high"))]].isna().all(axis=None)
    assert "50.00 –" in report_text(found, settings()) or "60.00 –" in report_text(found, settings())


def test_enough_pairs_need_no_caution():
    records = made(
        *[(f"{i}", strategy, 3 + i) for i in range(5) for strategy in ("original", "lit-lora")], source="lab"
    )
    assert "Caution" not in report_text(main_table(records), settings())


# --- What is drawn ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(EXPERIMENTS))
def test_no_two_bars_look_the_same(name):
    experiment = EXPERIMENTS[name]
    looks = styles(arm.way for arm in experiment.arms(list(experiment.strategies)))
    assert len({(look.colour, look.hatch) for look in looks.values()}) == len(looks)
    assert len({look.colour for look in looks.values()}) == min(len(looks), 9)


def test_many_ways_are_hatched():
    looks = styles(f"way {i}" for i in range(20))
    assert len({(look.colour, look.hatch) for look in looks.values()}) == 20


def test_bars_have_whiskers_and_say_of_how_many_pairs():
    figure = main_figure(made(*TWO, source="lab"), pd.DataFrame())
    (axes,) = figure.axes
    assert [bar.get_height() for bar in axes.patches] == [8, 4.5]
    ends = [collection.get_segments() for collection in axes.collections]
    assert [sorted(np.asarray(segment)[:, 1].tolist()) for (segment,) in ends] == [[4, 12], [3, 6]]
    assert axes.get_xticklabels()[0].get_text().endswith("n = 2")
    assert "pocket" in figure.get_suptitle()
    assert {to_hex(bar.get_facecolor()) for bar in axes.patches} == {"#999999", "#0072b2"}


def test_nothing_but_zeros_has_a_scale():
    zeros = made(("a", "original", 0), ("a", "lit-lora", 0))
    assert main_figure(zeros, pd.DataFrame()).axes[0].get_ylim() == (0, 1)


def test_lines_that_agree_are_both_seen():
    rows = [("a", strategy, 3) for strategy in ("original", "lit-lora")]
    records = pd.concat([made(*rows[: 1 if budget is None else 2], budget=budget) for budget in (None, 0, 2)])
    axes = budget_figure(records, pd.DataFrame()).axes[0]
    below, above = [line for line in axes.lines if "paper" not in str(line.get_label())]
    assert below.get_linewidth() > above.get_linewidth()
    assert below.get_linestyle() != above.get_linestyle()
    assert below.get_marker() != above.get_marker()


def test_the_analysis_shows_what_corrections_are_good_for():
    records = pd.concat([made(("a", "original", 9), budget=None, j=0.9), made(("a", "original", 0), budget=0, j=0.4)])
    events = pd.DataFrame()
    good = analysis_figure(records, events).axes[2]
    assert [bar.get_height() for bar in good.patches] == pytest.approx([40, 90])
    assert good.get_ylabel() == "J of the masks in %"


# --- What is kept -----------------------------------------------------------------------------------------------------


def test_a_report_needs_the_folder_alone(data, tmp_path, capsys):  # noqa: F811
    own = tmp_path / "mine"
    shutil.copytree(data, own)
    out = tmp_path / "out"
    options = {"out": out, "strategies": ["original"], "limit": 1, "seeds": [3], "progress": False}
    first = run_bench("main", str(own), **options)
    about = json.loads((out / "main.json").read_text())
    expected = {"sources": [str(own)], "limit": 1, "seeds": [3], "strategies": ["original"], "precision": "float32"}
    assert {name: about[name] for name in expected} == expected
    assert about["device"] in ("cpu", "mps", "cuda")
    assert (about["update"]["learning_rate"], about["update"]["epochs"]) == (1e-3, 40)
    shutil.rmtree(own)
    before = {path: path.read_bytes() for path in first.files if path.suffix != ".png"}
    for path in first.files:
        if path.suffix != ".json":
            path.unlink()
    capsys.readouterr()
    assert cli.main(["report", str(out)]) == 0
    said = capsys.readouterr()
    assert "A correction is a frame" in said.out
    assert "2 of 2 units finished" in said.err
    assert {path: path.read_bytes() for path in before} == before
    assert (out / "main.png").exists()
    next(out.glob("units/*.json")).unlink()
    assert cli.main(["report", str(out), "--json"]) == 1
    (again,) = json.loads(capsys.readouterr().out)
    assert (again["finished"], again["units"], again["settings"]["limit"]) == (1, 2, 1)


def test_a_folder_without_experiments(tmp_path, capsys):
    (tmp_path / "other.json").write_text("[]")
    (tmp_path / "half.json").write_text("{")
    assert cli.main(["report", str(tmp_path)]) == 2
    assert "holds no experiment" in capsys.readouterr().err
