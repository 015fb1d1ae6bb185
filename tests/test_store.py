"""Sessions in a file: everything comes back, a killed process loses no verdict, strangers' files harm nothing."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from helpers import clip, done, widget_on
from PIL import Image
from store_helpers import alter, contents, same, worked, written_in

from benchmarks.session_kills import mutations
from lit_widget import LITWidget
from lit_widget.widget.limits import AnnotationError
from lit_widget.widget.store import SessionFile, SessionFileError
from lit_widget.widget.store.doctor import examine, repair

MADE = clip("union")
TARGET = MADE.target
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A session file and what the widget that wrote it held."""
    return written_in(tmp_path_factory.mktemp("saved"))


@pytest.fixture
def copy(saved, tmp_path):
    return Path(shutil.copy(saved[0], tmp_path / "clip.lit"))


# --- Coming back ------------------------------------------------------------------------------------------------------


def test_everything_comes_back_and_goes_on(copy, saved):
    widget = LITWidget.open(copy, MADE.frames)
    same(contents(done(widget)), saved[1])
    assert widget.session == str(copy)
    widget.choose(1)
    widget.flag(6)
    assert done(widget).proposal is not None, "the adapter proposes as before"
    widget.give_mask(6, TARGET[6], object_id=1)
    widget.learn(6, object_id=1)
    assert done(widget).adapter_version == 2
    held = contents(widget)
    widget.close()
    again = LITWidget.open(copy, MADE.frames)
    same(contents(done(again)), held)
    again.close()


@pytest.mark.parametrize(
    "options", [{"strategy": "original"}, {"strategy": "lit-plus"}, {"strategy": "three-loras"}, {"tracker": "samurai"}]
)
def test_strategies_and_trackers_come_back(tmp_path, options):
    widget, _ = widget_on(session=tmp_path / "x.lit", **options)
    widget.give_mask(0, TARGET[0])
    widget.track()
    widget.give_mask(3, TARGET[3])
    widget.learn(3)
    held = contents(done(widget))
    widget.close()
    again = LITWidget.open(tmp_path / "x.lit", MADE.frames)
    same(contents(done(again)), held)
    again.track(4)
    assert statuses(done(again)) == statuses_of(held)
    again.close()


def statuses(widget):
    return {frame: record.status for frame, record in widget._annotation.learner.bank(1).records.items()}


def statuses_of(held):
    return {frame: status for (each, frame), status in held["status"].items() if each == 1}


def test_a_correction_that_was_not_learned_stands_again(copy):
    widget = LITWidget.open(copy, MADE.frames)
    widget.click(6, 50.0, 60.0, object_id=1)
    mask = done(widget).mask(6, object_id=1)
    widget.close()
    again = LITWidget.open(copy, MADE.frames)
    assert done(again)._annotation.pending[6, 1].points.xy == ((50.0, 60.0),)
    assert (again.mask(6, object_id=1) != mask).mean() < 0.01
    again.close()


def test_undo_is_written_too(tmp_path):
    widget = worked(tmp_path / "x.lit")
    for _ in range(7):  # two clicks, colour, object, range and proposal, and the correction
        widget.undo()
    held = contents(done(widget))
    assert widget._annotation.pending
    assert not held["adapters"]
    widget.close()
    again = LITWidget.open(tmp_path / "x.lit", MADE.frames)
    same(contents(done(again)), held)
    again.close()


def test_the_journal_tells_what_happened(copy):
    file = SessionFile(copy, new=False)
    events = file.rows("SELECT kind, object, frame, seconds, detail FROM event")
    file.close()
    assert [each[:3] for each in events] == [("correct", 1, 3), ("accept", 1, 5)]
    assert events[0][3] > 0
    assert json.loads(events[0][4]) == {"clicks": 0, "full": True}


# --- The video --------------------------------------------------------------------------------------------------------


def test_a_session_opens_without_its_video(copy, saved):
    widget = LITWidget.open(copy)
    assert all(np.array_equal(widget.masks(object_id=each), mask) for each, mask in saved[1]["masks"].items())
    for change in (widget.track, lambda: widget.click(4, 5.0, 5.0), lambda: widget.flag(4, object_id=1)):
        change()
        with pytest.raises(AnnotationError, match=r"not there: it was an array or a list; give it to LITWidget.open"):
            widget.wait()
    assert widget.edit_object(2, name="car") is None
    widget.close()
    again = LITWidget.open(copy, MADE.frames)
    assert again.objects[2] == "car"
    again.close()


def test_the_video_is_found_where_it_was_or_beside_the_file(tmp_path):
    from PIL import Image

    folder = tmp_path / "one" / "clip"
    folder.mkdir(parents=True)
    for index, frame in enumerate(MADE.frames):
        Image.fromarray(frame).save(folder / f"{index}.png")
    widget = LITWidget(folder, session=tmp_path / "one" / "x.lit")
    widget.close()
    LITWidget.open(tmp_path / "one" / "x.lit").close()
    (tmp_path / "one").rename(tmp_path / "two")
    moved = LITWidget.open(tmp_path / "two" / "x.lit")
    assert np.array_equal(moved.frames[3], MADE.frames[3])
    moved.close()
    (tmp_path / "two" / "clip").rename(tmp_path / "gone")
    lost = LITWidget.open(tmp_path / "two" / "x.lit")
    lost.click(0, 3.0, 3.0)
    with pytest.raises(AnnotationError, match=r"looked for at .*one.clip and .*two.clip"):
        lost.wait()
    lost.close()
    with pytest.raises(SessionFileError, match="the session is of another video than"):
        LITWidget.open(tmp_path / "two" / "x.lit", MADE.frames[:4])


# --- One writer, killed processes, full disks -------------------------------------------------------------------------


def test_one_kernel_at_a_time(copy):
    code = f"from lit_widget.widget.store import SessionFile; SessionFile({str(copy)!r}, new=False); print('open')"
    widget = LITWidget.open(copy, MADE.frames)
    refused = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "is open in another kernel or widget" in refused.stderr
    widget.close()
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout


ACCEPTING = """
import sys
sys.path.insert(0, "tests")
from helpers import clip
from lit_widget import LITWidget
from lit_widget.core.update import UpdateConfig
made = clip("union", 0, 16)
w = LITWidget(made.frames, session=sys.argv[1], strategy="previous-mask", update=UpdateConfig(epochs=1))
w.give_mask(0, made.target[0])
w.track()
w.wait()
for frame in reversed(range(1, len(w.frames))):
    w.flag(frame)
    w.accept()
    w.wait()
    print("accepted", frame, flush=True)
sys.stdin.read()
"""


@pytest.mark.slow
def test_a_killed_process_loses_no_verdict(tmp_path):
    draw = random.Random(0)
    for kill in range(2):
        path = tmp_path / f"{kill}.lit"
        child = subprocess.Popen(
            [sys.executable, "-c", ACCEPTING, str(path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        told = [child.stdout.readline()]
        time.sleep(draw.uniform(0.0, 1.0))
        child.send_signal(signal.SIGKILL)
        told += child.stdout.readlines()
        child.wait()
        accepted = {int(line.split()[1]) for line in told if line.startswith("accepted")}
        widget = LITWidget.open(path, clip("union", 0, 16).frames)
        assert accepted
        assert accepted <= set(done(widget).accepted)
        widget.close()
        assert examine(path) == []


def fill_the_disk(widget):
    """Give the session's file no more room, and the widget masks that need some; returns the file's connection."""
    connection = widget._recorder._file.connection
    connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
    for frame in range(6):
        widget.give_mask(frame, np.random.default_rng(frame).random(TARGET[0].shape) > 0.5)
    return connection


def test_a_disk_that_cannot_be_written_is_told_and_loses_nothing(tmp_path):
    widget, heard = widget_on(session=tmp_path / "x.lit")
    connection = fill_the_disk(widget)
    with pytest.raises(SessionFileError, match="disk is full; make room"):
        widget.wait()
    told = [each[0]["message"] for each in heard if each[0]["type"] == "error"]
    assert all("disk is full; make room" in each for each in told)
    assert len(told) > 1, "with every action, since a view may have put the first away"
    connection.execute("PRAGMA max_page_count = 1000000")
    widget.add_object()
    masks = widget.masks(object_id=1)
    widget.close()
    again = LITWidget.open(tmp_path / "x.lit", MADE.frames)
    assert np.array_equal(done(again).masks(object_id=1), masks)
    again.close()


def test_closing_says_that_the_last_could_not_be_written(tmp_path):
    widget, _ = widget_on(session=tmp_path / "x.lit")
    fill_the_disk(widget)
    with pytest.raises(SessionFileError, match=r"closed without what was done last: .* disk is full"):
        widget.close()
    assert widget._recorder._file.closed
    assert examine(tmp_path / "x.lit") == []


def test_where_a_video_was_found_is_remembered(tmp_path):
    path = tmp_path / "x.lit"
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        for index, frame in enumerate(MADE.frames):
            Image.fromarray(frame).save(tmp_path / name / f"{index}.png")
    LITWidget(tmp_path / "first", session=path).close()
    shutil.rmtree(tmp_path / "first")
    LITWidget.open(path, tmp_path / "second").close()
    widget = LITWidget.open(path)
    assert np.array_equal(widget.frames[0], MADE.frames[0])
    widget.close()


def test_what_cannot_be_a_session_is_said_at_once(tmp_path, copy):
    other = tmp_path / "other.lit"
    other.write_bytes(b"not a database at all" * 100)
    empty = tmp_path / "empty.lit"
    alter(empty, "CREATE TABLE t (x)")
    later = Path(shutil.copy(copy, tmp_path / "later.lit"))
    alter(later, "PRAGMA user_version = 99")
    odd = Path(shutil.copy(copy, tmp_path / "odd.lit"))
    alter(odd, "CREATE TRIGGER t AFTER INSERT ON mask BEGIN DELETE FROM object; END")
    for path, reason in {
        tmp_path / "none.lit": "there is no session file",
        other: "no session file of lit-widget",
        empty: "no session file of lit-widget",
        later: "was written by a later version",
        odd: r"other tables than a session file \(t\)",
    }.items():
        with pytest.raises(SessionFileError, match=reason):
            LITWidget.open(path, MADE.frames)
    with pytest.raises(SessionFileError, match=r"is there already; LITWidget.open\("):
        LITWidget(MADE.frames, session=copy)
    with pytest.raises(SessionFileError, match="there is no folder"):
        LITWidget(MADE.frames, session=tmp_path / "no" / "x.lit")


def test_a_file_alone_loads_no_model_but_the_bundled_one(copy):
    alter(copy, """UPDATE meta SET value = '"sam2.1-large"' WHERE key = 'model'""")
    with pytest.raises(SessionFileError, match=r"a file alone loads only the bundled one; give it"):
        LITWidget.open(copy, MADE.frames)
    LITWidget.open(copy, MADE.frames, model="pocket").close()


# --- Doctor and strangers ---------------------------------------------------------------------------------------------


def test_the_doctor_finds_and_takes_out_what_is_damaged(copy, saved):
    assert examine(copy) == []
    alter(copy, "UPDATE mask SET bits = x'789c00' WHERE object = 1 AND frame = 4")
    alter(copy, "UPDATE adapter SET weights = x'00'")
    alter(copy, "UPDATE prompt SET points = 'nonsense'")
    assert len(examine(copy)) == 3
    lost = repair(copy)
    assert len(lost) == 4
    assert "the file as it was is" in lost[-1]
    assert examine(copy) == []
    widget = LITWidget.open(copy, MADE.frames)
    masks, before = done(widget).masks(object_id=1), saved[1]["masks"][1]
    assert not masks[4].any()
    assert np.array_equal(np.delete(masks, 4, 0), np.delete(before, 4, 0))
    widget.close()


def test_mutated_files_give_a_sentence_or_work(copy):
    outcomes = Counter(mutations(copy, times=200, seed=1))
    assert all(outcome == "works" or outcome.startswith("refused: ") for outcome in outcomes), outcomes
    assert outcomes["works"] > 20
    assert outcomes.total() - outcomes["works"] > 20


def test_a_decompression_bomb_is_not_inflated(copy):
    import zlib

    bomb = zlib.compress(bytes(64 * 2**20), 9)
    alter(copy, "UPDATE mask SET bits = ? WHERE frame = 4", bomb)
    widget = LITWidget.open(copy, MADE.frames)
    with pytest.raises(SessionFileError, match="the mask of frame 4 in the session file is damaged"):
        widget.masks(object_id=1)
    widget.close()
    assert copy.stat().st_size < 2 * 2**20


def test_the_doctor_from_a_shell(copy, capsys):
    from lit_widget import cli

    assert cli.main(["doctor", str(copy)]) == 0
    assert "is whole" in capsys.readouterr().out
    alter(copy, "UPDATE mask SET bits = x'00' WHERE frame = 4")
    assert cli.main(["doctor", str(copy), "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == ["the mask of object 1 on frame 4 is damaged"]
    assert cli.main(["doctor", "--repair"]) == 2
    assert cli.main(["doctor"]) == 0
    assert "torch" in capsys.readouterr().out
