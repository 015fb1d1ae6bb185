"""Two results side by side: what changed between them is what was measured, and nothing else is taken for a result."""

from __future__ import annotations

import json
import sys

import pandas as pd
import pytest

from benchmarks import versus
from benchmarks.pages.text import RESULTS, load
from benchmarks.result import write_result


def written(path, seconds, objects=(1, 1, 1, 8)):
    rows = pd.DataFrame({"objects": objects, "pass": "first", "frame": range(len(objects)), "ours_s": seconds})
    write_result(path, "speed", {"sources": []}, {"frames": rows})
    return versus.results(path)["speed"]


def test_repeats_become_medians_and_their_spread(tmp_path):
    old = written(tmp_path / "old.json", [2.0, 4.0, 6.0, 10.0])
    new = written(tmp_path / "new.json", [1.0, 2.0, 4.0, 30.0])
    table = versus.compared(old, new).set_index("where")
    assert table.loc["1 first", ["old", "new", "new/old"]].tolist() == [4.0, 2.0, 0.5]
    assert table.loc["1 first", ["10 %", "90 %"]].tolist() == pytest.approx([0.3, 0.9])
    assert table.loc["8 first", "new/old"] == 3.0


def test_only_what_both_have_is_compared(tmp_path):
    old = written(tmp_path / "old.json", [2.0, 4.0], objects=(1, 2))
    new = written(tmp_path / "new.json", [2.0, 4.0], objects=(2, 3))
    assert versus.compared(old, new)["where"].tolist() == ["2 first"]


@pytest.mark.parametrize("name", ["cpu-tracking", "cpu-update", "gpu", "update-time", "view-speed", "long-memory"])
def test_committed_results_equal_themselves(name):
    table = versus.compared(load(name), load(name))
    assert len(table)
    assert (table["new/old"] == 1).all()


def test_folders_are_matched_by_file(tmp_path, monkeypatch, capsys):
    (tmp_path / "gpu.json").write_text((RESULTS / "gpu.json").read_text())
    monkeypatch.setattr(sys, "argv", ["versus", str(RESULTS), str(tmp_path)])
    versus.main()
    told = capsys.readouterr().out
    assert told.count("==") == 1
    assert "tracking, 8 objects again" in told


@pytest.mark.parametrize("content", ["", "{}", json.dumps({"benchmark": "x", "settings": {}, "tables": {}})])
def test_what_is_no_result_is_refused(tmp_path, monkeypatch, capsys, content):
    path = tmp_path / "other.json"
    path.write_text(content)
    monkeypatch.setattr(sys, "argv", ["versus", str(path), str(RESULTS)])
    with pytest.raises(SystemExit):
        versus.main()
    assert "other.json holds no result of a benchmark" in capsys.readouterr().err
