"""Files of version 1 are brought to the present one: all of them that there was stays, and what never was is said."""

import ast
import json
import shutil
import sqlite3

import numpy as np
import pytest
from helpers import clip, done, widget_on
from store_helpers import TARGET, alter, contents

from lit_widget.widget.codec import encode_mask
from lit_widget.widget.store import SessionFile, SessionFileError
from lit_widget.widget.store.doctor import examine
from lit_widget.widget.widget import LITWidget

MADE = clip("union")

VERSION_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE object (id INTEGER PRIMARY KEY, name TEXT NOT NULL, colour TEXT NOT NULL, hidden INTEGER NOT NULL, locked INTEGER NOT NULL) STRICT;
CREATE TABLE mask (object INTEGER NOT NULL, frame INTEGER NOT NULL, status TEXT NOT NULL, conditioning INTEGER NOT NULL, reverse INTEGER NOT NULL, iou REAL NOT NULL, score REAL NOT NULL, clicks INTEGER, pointer BLOB NOT NULL, bits BLOB NOT NULL, PRIMARY KEY (object, frame)) STRICT;
CREATE TABLE prompt (object INTEGER NOT NULL, frame INTEGER NOT NULL, points TEXT NOT NULL, first INTEGER NOT NULL, painted BLOB, PRIMARY KEY (object, frame)) STRICT;
CREATE TABLE adapter (object INTEGER NOT NULL, slot INTEGER NOT NULL, version INTEGER NOT NULL, learned_from TEXT NOT NULL, report TEXT NOT NULL, weights BLOB NOT NULL, PRIMARY KEY (object, slot)) STRICT;
CREATE TABLE event (id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, object INTEGER, frame INTEGER, seconds REAL NOT NULL, detail TEXT NOT NULL) STRICT;
PRAGMA application_id = 1279874135;
PRAGMA user_version = 1;
"""  # noqa: E501 - as it was


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A file as version 1 wrote it, with a first prompt and a painted and clicked correction standing."""
    folder = tmp_path_factory.mktemp("versions")
    widget, _ = widget_on(session=folder / "new.lit")
    widget.give_mask(0, TARGET[0])
    widget.track(0, stop=4)
    widget.give_mask(2, TARGET[2])
    widget.click(2, 50.0, 60.0)
    widget.set_range(0, 5)
    widget.click(1, 30.0, 30.0, object_id=widget.add_object("cup"))
    held = contents(done(widget))
    widget.close()
    path = folder / "old.lit"
    with sqlite3.connect(path) as old:
        old.executescript(VERSION_1)
        old.execute("ATTACH ? AS new", (str(folder / "new.lit"),))
        old.execute("INSERT INTO meta SELECT * FROM new.meta WHERE key != 'making'")
        for table in ("object", "mask", "adapter", "event"):
            old.execute(f"INSERT INTO {table} SELECT * FROM new.{table}")
        old.execute("INSERT INTO prompt SELECT object, frame, points, first, NULL FROM new.prompt")
        old.execute("UPDATE prompt SET painted = ? WHERE frame = 2", (encode_mask(TARGET[2]),))
    old.close()
    return path, held


@pytest.fixture
def old(first, tmp_path):
    return shutil.copy(first[0], tmp_path / "old.lit")


def test_everything_of_version_1_comes_back_and_goes_on(old, first, tmp_path):
    widget = done(LITWidget.open(old, MADE.frames))
    held, present = first[1], contents(widget)
    for part in ("status", "things", "points", "range"):
        assert present[part] == held[part], part
    assert (present["masks"][1] != held["masks"][1]).mean() < 0.01, "a correction is prompted again"
    assert np.array_equal(present["masks"][2], held["masks"][2])
    assert widget.log.empty
    assert "# Not complete" in widget.to_script(tmp_path / "again.py").read_text()
    widget.choose(1)
    widget.learn(2)
    assert done(widget).corrections == [2]
    widget.undo()
    held = contents(done(widget))
    widget.close()
    again = LITWidget.open(old, MADE.frames)
    assert contents(again)["points"] == held["points"]
    assert np.array_equal(again.masks(object_id=1), held["masks"][1])
    again.redo()
    assert done(again).corrections == [2]
    again.close()
    assert examine(old) == []


def test_a_later_version_is_refused(old):
    alter(old, "PRAGMA user_version = 3")
    with pytest.raises(SessionFileError, match="later version"):
        SessionFile(old, new=False)


def test_a_script_of_both_kernels_begins_with_the_first(tmp_path):
    widget, _ = widget_on(session=tmp_path / "x.lit")
    widget.give_mask(0, TARGET[0])
    widget.track(0, stop=3)
    before = done(widget).log
    widget.close()
    again = LITWidget.open(tmp_path / "x.lit", MADE.frames)
    assert again.log.equals(before)
    again.click(3, 50.0, 60.0)
    log = done(again).log
    assert list(log["action"]) == ["give_mask", "track", "click"]
    assert list(log["outcome"]) == ["done"] * 3
    assert log["at_s"].is_monotonic_increasing
    text = again.to_script(tmp_path / "again.py").read_text()
    assert "Not complete" not in text
    assert "update=lit_widget.UpdateConfig(learning_rate=0.001, epochs=3" in text
    assert text.index("w.give_mask(") < text.index("w.track(") < text.index("w.click(")
    assert np.array_equal(np.load(tmp_path / "again.npz")["mask_0"], TARGET[0])
    again.close()


HOSTILE = {
    "a name that is no action": ("name", "__class__"),
    "an argument that is none": ("arguments", json.dumps({"frame=0); import os; w.click(x": 1})),
    "arguments that are no JSON": ("arguments", "{"),
    "an outcome that is none": ("outcome", "exec"),
}


@pytest.mark.parametrize(("column", "value"), HOSTILE.values(), ids=HOSTILE)
def test_no_source_text_comes_out_of_a_file(old, tmp_path, column, value):
    done(LITWidget.open(old, MADE.frames)).close()
    row = {"name": "click", "arguments": '{"frame": 1, "x": 1.0, "y": 1.0}', "by": "view", "outcome": "done"} | {
        column: value
    }
    names = ", ".join(row)
    alter(
        old,
        f"INSERT INTO action ({names}, at_s, took_s, told, worked) VALUES (?, ?, ?, ?, 0, 0, '', 1)",
        *row.values(),
    )
    alter(old, "UPDATE meta SET value = json_set(value, '$.name', char(10) || 'import os') WHERE key = 'video'")
    alter(
        old, "INSERT INTO meta VALUES ('making', ?)", json.dumps({"video": "'); import os", "import os": "import os"})
    )
    widget = LITWidget.open(old)
    text = widget.to_script(tmp_path / "again.py").read_text()
    assert "# Not complete" in text
    widget.close()
    tree = ast.parse(text)
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert imported == ["pathlib", "numpy", "lit_widget"]
