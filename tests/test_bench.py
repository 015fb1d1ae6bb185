"""Benchmarks: units that are finished once, whatever is killed, and the same numbers however they are run."""

import json
import math
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from helpers import clip
from PIL import Image

from lit_widget import cli
from lit_widget.simulation.bench.experiments import EXPERIMENTS
from lit_widget.simulation.bench.paper import data_set, printed_corrections
from lit_widget.simulation.bench.run import run_bench
from lit_widget.simulation.bench.store import UnitStore
from lit_widget.simulation.bench.tables import analysis_table, budget_table, main_table
from lit_widget.simulation.bench.units import MEASURED, Arm, Unit, list_units
from lit_widget.simulation.bench.work import run_units
from lit_widget.simulation.datasets import open_davis, source_labels
from lit_widget.simulation.metrics import reduction_interval
from lit_widget.simulation.runner import run_simulation

FRAMES = 5
ARMS = [Arm("original", 0.9, epochs=2), Arm("lit-lora", 0.9, epochs=2)]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two short clips in DAVIS layout."""
    root = tmp_path_factory.mktemp("data") / "lab"
    for kind in ("part", "union"):
        made = clip(kind, 0, FRAMES)
        for t in range(FRAMES):
            for name, image in (("JPEGImages", made.frames[t]), ("Annotations", made.target[t].astype(np.uint8))):
                path = root / name / kind / f"{t:05d}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(path)
    return root


@pytest.fixture(scope="module")
def units(data):
    return list_units([(str(data), open_davis(data))], ARMS, [0], "pocket")


class Log:
    """What was reported."""

    def __init__(self):
        self.failed, self.ran = {}, []

    def __call__(self, unit, reason):
        self.ran.append(unit)
        if reason is not None:
            self.failed[unit] = reason


def run(units, out, **options):
    log = Log()
    run_units(units, UnitStore(out), log, **options)
    return log


def rows(out, units):
    """Results without what a clock measured."""
    found = UnitStore(out).load(units)
    for result in found:
        for row in [result["record"], *result["events"]]:
            for column in MEASURED:
                row.pop(column, None)
    return json.dumps(found, sort_keys=True)


@pytest.fixture(scope="module")
def serial(units, tmp_path_factory):
    out = tmp_path_factory.mktemp("serial")
    assert not run(units, out).failed
    return out


# --- Units ------------------------------------------------------------------------------------------------------------


def test_units_are_told_apart(units):
    assert [(unit.video, unit.arm.strategy) for unit in units] == [
        ("part", "original"),
        ("part", "lit-lora"),
        ("union", "original"),
        ("union", "lit-lora"),
    ]
    first = units[0]
    others = [
        replace(first, seed=1),
        replace(first, object=2),
        replace(first, source="elsewhere"),
        replace(first, model="sam2.1-l"),
        replace(first, arm=replace(first.arm, tau=0.5)),
        replace(first, arm=replace(first.arm, budget=0)),
    ]
    assert len({each.key for each in [*units, *others]}) == len(units) + len(others)
    assert replace(first, video="a/b c").key.startswith("a_b_c-1-original-")
    assert first.key == Unit(first.source, "part", 1, ARMS[0], 0, "pocket").key


def test_a_unit_is_what_a_simulation_of_it_is(units, serial, data):
    """The same protocol, learner and seeds; epochs differ, so only the baseline is compared."""
    known = run_simulation(data, strategies="original", tau=0.9, progress=False).records
    found = pd.DataFrame([each["record"] for each in UnitStore(serial).load(units)])
    found = found[found["strategy"] == "original"].reset_index(drop=True)
    columns = ["video", "object", "corrections", "clicks", "masks", "j_mean", "frames"]
    pd.testing.assert_frame_equal(found[columns], known[columns])
    assert found["corrections"].sum() > 0
    assert ((found["j"] > 0.5) & (found["f"] > 0.3)).all()


def test_half_a_file_is_no_result(units, tmp_path):
    store = UnitStore(tmp_path)
    (tmp_path / "units").mkdir()
    (tmp_path / "units" / f"{units[0].key}.json.1234.partial").write_text("{")
    assert not store.done(units[0])
    assert store.load(units) == []


def test_finished_units_are_not_run_again(units, serial):
    assert run(units, serial).ran == []
    before = rows(serial, units)
    next((serial / "units").glob(f"{units[2].key}.json")).unlink()
    assert run(units, serial).ran == [units[2]]
    assert rows(serial, units) == before


def test_one_failing_unit_does_not_stop_the_rest(units, serial, tmp_path):
    broken = [replace(units[1], object=7), replace(units[1], arm=Arm("nothing"))]
    log = run([units[0], *broken, units[2]], tmp_path)
    assert log.ran == [units[0], *broken, units[2]]
    assert "has no object 7; its objects are [1]" in log.failed[broken[0]]
    assert "unknown strategy 'nothing'" in log.failed[broken[1]]
    assert rows(tmp_path, [units[0], units[2]]) == rows(serial, [units[0], units[2]])
    assert "DatasetError" in (tmp_path / "failed" / f"{broken[0].key}.txt").read_text()
    assert len(run([units[0], *broken], tmp_path).ran) == 2  # what failed is tried again


@pytest.mark.slow
def test_processes_give_what_one_gives_even_if_one_is_killed(units, serial, tmp_path):
    """Whatever the killed process had finished counts once, and running again does the rest."""

    def kill():
        while not list(tmp_path.glob("units/*.json")):
            time.sleep(0.02)
        for child in multiprocessing.active_children()[:1]:
            os.kill(child.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    log = run(units, tmp_path, workers=2)
    killer.join()
    assert len(log.ran) == len(units)
    assert all("its process died" in reason for reason in log.failed.values())
    again = run(units, tmp_path, workers=2)
    assert set(again.ran) == set(log.failed)
    assert not again.failed
    assert rows(tmp_path, units) == rows(serial, units)
    assert len(list(tmp_path.glob("units/*.json"))) == len(units)
    assert not list(tmp_path.glob("failed/*"))


def test_workers_that_are_refused(units, tmp_path):
    with pytest.raises(ValueError, match="at least one worker, got 0"):
        run(units, tmp_path, workers=0)


def test_a_budget_limits_corrections_not_acceptances(data, serial, units, tmp_path):
    arms = [replace(ARMS[1], budget=budget) for budget in (0, 1)]
    limited = list_units([(str(data), open_davis(data))], arms, [0], "pocket")
    assert not run(limited, tmp_path).failed
    by_budget = {0: [], 1: []}
    for each in UnitStore(tmp_path).load(limited):
        by_budget[each["unit"]["arm"]["budget"]].append(each["record"])
    full = [each["record"] for each in UnitStore(serial).load(units) if each["unit"]["arm"]["strategy"] == "lit-lora"]
    for none, one, more in zip(by_budget[0], by_budget[1], full, strict=True):
        assert none["corrections"] == none["accepted"] == 0
        assert one["corrections"] == min(1, more["corrections"])
        assert none["j"] <= one["j"]
    assert sum(none["missed"] for none in by_budget[0]) > 0
    assert sum(more["corrections"] - one["corrections"] for one, more in zip(by_budget[1], full, strict=True)) > 0


# --- Tables -----------------------------------------------------------------------------------------------------------


def record(video, strategy, corrections, *, source="vost:/data/VOST", tau=0.5, budget=None, seed=0, j=0.5, f=0.7):
    return {
        "tracker": "sam2",
        "way": strategy,
        "missed": 0,
        "length": 9,
        "frames": 8,
        "source": source,
        "video": video,
        "object": 1,
        "seed": seed,
        "strategy": strategy,
        "tau": tau,
        "budget": budget,
        "corrections": corrections,
        "annotation_s": 60.0 * corrections,
        "j": j,
        "f": f,
    }


def test_the_main_table_sets_the_paper_beside_what_was_measured():
    records = pd.DataFrame(
        [
            record("a", "original", 12),
            record("a", "lit-lora", 6, seed=0),
            record("a", "lit-lora", 8, seed=1),  # a second seed is averaged
            record("b", "original", 4),
            record("b", "lit-lora", 3),
            record("c", "original", 50),  # not finished by the other
            record("d", "original", 4, source="lab/walk"),
            record("d", "lit-lora", 2, source="lab/walk"),
        ]
    )
    table = main_table(records).set_index(["data", "pairs of", "strategy"])
    vost = table.loc["vost/val"]
    assert vost.loc[("all", "original"), ["pairs", "corrections", "minutes"]].tolist() == [2, 8, 8]
    assert vost.loc[("all", "lit-lora"), "corrections"] == 5
    expected = reduction_interval([12, 4], [7, 3])
    names = ["fewer corrections %", "fewer corrections % low", "fewer corrections % high"]
    assert vost.loc[("all", "lit-lora"), names].tolist() == [expected.estimate, expected.low, expected.high]
    assert vost.loc[("≥ 10", "lit-lora"), ["pairs", "corrections", "corrections, paper"]].tolist() == [1, 7, 18.24]
    assert vost.loc[("≥ 10", "original"), "minutes, paper"] == 18.42
    assert math.isnan(vost.loc[("all", "original"), "corrections, paper"])  # the paper's are of the subset
    assert "≥ 10" not in table.loc["walk"].index
    assert math.isnan(table.loc[("walk", "all", "original"), "corrections, paper"])


def test_the_budget_table_is_j_on_vost_and_j_and_f_elsewhere():
    records = pd.DataFrame(
        [
            record(video, strategy, 1, source=source, budget=budget)
            for source in ("vost:/d", "sav/test:/d")
            for budget in (None, 8)
            for strategy in ("original", "lit-lora")
            for video in "ab"
            if budget or strategy == "original"
        ]
    )
    records.loc[(records["video"] == "a") & records["budget"].isna(), "corrections"] = 30
    records.loc[records["video"] == "b", ["j", "f"]] = 0.9
    table = budget_table(records).set_index(["data", "budget", "pairs of", "strategy"])
    assert table.loc[("vost/val", 8, "≥ 10", "lit-lora"), ["pairs", "score", "paper"]].tolist() == [1, 50, 60.6]
    assert table.loc[("vost/val", 8, "≥ 10", "lit-lora"), ["score low", "score high"]].isna().all()  # of one pair
    assert table.loc[("vost/val", 8, "all", "lit-lora"), ["score low", "score high"]].tolist() == [50, 90]
    assert table.loc[("sav/test", 8, "all", "original"), ["pairs", "score", "is"]].tolist() == [2, 75, "J&F"]
    assert math.isnan(table.loc[("sav/test", 8, "all", "original"), "paper"])


def test_the_analysis_compares_with_no_corrections():
    rows = [("a", None, 20, 0.9), ("a", 0, 0, 0.3), ("b", None, 4, 0.9), ("b", 0, 0, 0.7)]
    records = pd.DataFrame([record(v, "original", n, budget=budget, j=j) for v, budget, n, j in rows])
    table = analysis_table(records).set_index("pairs of")
    names = ["corrections", "without corrections", "with corrections", "corrections, paper"]
    assert table.loc["all", names].tolist() == pytest.approx([12, 50, 90, 18.6])
    assert table.loc["≥ 10", names].tolist() == pytest.approx([20, 30, 90, 27.4])


def test_arms_have_names_that_the_paper_can_be_looked_up_by():
    assert Arm("lit-lora", 0.75, budget=3, tracker="samurai").way == "lit-lora"
    assert Arm("lit-lora", samples=3).way == "lit-lora, 3/1"
    assert Arm("lit-lora", epochs=5, monitor="learned", automatic=True).way == "lit-lora, 5 epochs, learned, automatic"
    assert printed_corrections("vost:/d", 0.5, "sam2", "lit-lora, 3/1") == 17.73
    assert printed_corrections("vost:/d", 0.5, "dam4sam", "lit-lora") == 22.46
    assert printed_corrections("sav/test:/d", 0.75, "sam2", "original") == 29.83
    for nothing in (
        ("sav:/d", 0.5, "dam4sam", "original"),
        ("vost:/d", 0.6, "sam2", "original"),
        ("/d", 0.5, "sam2", "original"),
    ):
        assert math.isnan(printed_corrections(*nothing))


def test_sources_have_names_in_tables():
    assert data_set("lvosv2:/data") == "lvosv2/valid"
    assert data_set("/data/lvosv2") is data_set("embedded:easy:0") is None
    for sources, expected in (
        (["sav/test:/x", "embedded:all:0-3", "/a/b/mine"], ["sav/test", "embedded:all:0-3", "mine"]),
        (["/a/b/mine", "/a/c/mine", "/mine"], ["b/mine", "c/mine", "mine"]),
        (["vost:/a/new", "vost:/b/new", "vost/train:/a/new"], ["vost/val:a/new", "vost/val:b/new", "vost/train"]),
    ):
        assert list(source_labels(sources).values()) == expected


# --- The command ------------------------------------------------------------------------------------------------------


def bench(*arguments):
    return [sys.executable, "-m", "lit_widget.cli", "bench", *map(str, arguments)]


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_table(data, tmp_path):
    options = ("main", "--data", data, "--strategies", "original,previous-mask")
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    started = subprocess.Popen(bench(*options, "--out", cut), stderr=subprocess.DEVNULL)
    while not list(cut.glob("units/*.json")):
        time.sleep(0.02)
    started.kill()
    started.wait()
    kept = {path: path.stat().st_mtime_ns for path in cut.glob("units/*.json")}
    done = subprocess.run(bench(*options, "--out", cut), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "corrections" in done.stdout
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items())
    run_bench("main", [str(data)], out=whole, strategies=["original", "previous-mask"], progress=False)
    tables = [pd.read_csv(out / "main.csv") for out in (cut, whole)]
    assert len(tables[0]) == 4
    timeless = [table.drop(columns=[name for name in table if "minutes" in name]) for table in tables]
    pd.testing.assert_frame_equal(*timeless)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(EXPERIMENTS))
def test_every_experiment_writes_its_report(name, data, tmp_path):
    few = ["original"] if name in ("tau", "budget") else ["original", "token-0"]
    result = run_bench(name, [str(data)], out=tmp_path, strategies=few, limit=1, progress=False)
    assert result.complete
    assert not result.failed
    assert result.units == len(EXPERIMENTS[name].arms(few))
    assert {path.name.split(".")[0] for path in result.files} == {name, f"{name}-records", f"{name}-trajectories"}
    assert all(path.stat().st_size for path in result.files)
    about = json.loads((tmp_path / f"{name}.json").read_text())
    assert about["units"] == about["finished"] == result.units
    assert set(result.table["data"]) == {"lab"}


def test_trajectories_are_parquet_where_it_can_be_written(data, tmp_path):
    result = run_bench("tau", [str(data)], out=tmp_path, strategies=["original"], limit=1, progress=False)
    events = pd.read_parquet(tmp_path / "tau-trajectories.parquet")
    records = pd.read_parquet(tmp_path / "tau-records.parquet")
    assert result.complete
    assert (events["event"] == "corrected").sum() == records["corrections"].sum() > 0


def test_what_the_command_refuses(data, tmp_path, capsys):
    for arguments, reason in (
        (["most", "--data", str(data)], "unknown experiment 'most'"),
        (["main", "--data", "vost:nowhere"], "there is no list nowhere/ImageSets/val.txt; VOST is"),
        (["main", "--data", str(data), "--seeds", "a"], "--seeds takes whole numbers"),
        (["main", "--data", str(data), "--workers", "0"], "at least one worker"),
        (["main", "--data", str(data), "--limit", "0"], "at least one, got 0"),
        (["main", "--data", str(data), "--strategies", "lit"], "unknown strategy 'lit'"),
        (["main", "--data", str(data), f"{data}/../{data.name}"], "are the same data; give it once"),
        (["main", "--data", "embedded:easy:0", "embedded:easy:0-0"], "are the same data; give it once"),
    ):
        assert cli.main(["bench", *arguments, "--out", str(tmp_path / "out")]) == 2
        assert reason in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "in", "/proc/x"):
        assert cli.main(["bench", "main", "--data", str(data), "--out", str(out)]) == 2
        said = capsys.readouterr().err
        assert f"lit-widget: results cannot be written to {out} (" in said
        assert said.count("\n") == 1


def test_folders_of_one_name_are_told_apart(data, tmp_path):
    other = tmp_path / "other" / data.name
    shutil.copytree(data, other)
    result = run_bench("main", [str(data), str(other)], out=tmp_path, strategies=["original"], limit=1, progress=False)
    assert list(dict.fromkeys(result.table["data"])) == [f"{data.parent.name}/lab", "other/lab"]
    assert result.table["pairs"].tolist() == [1] * 4
    assert (tmp_path / "main.png").stat().st_size


def test_an_unfinished_run_says_so(data, tmp_path, capsys):
    path = tmp_path / "data"
    for name in ("JPEGImages", "Annotations"):
        shutil.copytree(data / name / "part", path / name / "480p" / "part")
    (path / "ImageSets" / "2017").mkdir(parents=True)
    (path / "ImageSets" / "2017" / "val.txt").write_text("part\n")
    options = ["--data", f"davis2017:{path}", "--strategies", "original", "--out", str(tmp_path / "out")]
    mask = path / "Annotations" / "480p" / "part" / "00003.png"
    whole = mask.read_bytes()
    mask.write_bytes(whole[:-30])
    assert cli.main(["bench", "main", *options]) == 1
    said = capsys.readouterr().err
    assert "0 of 2 units are finished, 2 failed, 0 were not run; the same command goes on" in said
    assert "00003.png is damaged" in said
    mask.write_bytes(whole)
    assert cli.main(["bench", "main", *options]) == 0
