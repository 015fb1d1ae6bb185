"""User studies: balanced plans, what is logged, killed kernels, and the numbers of the summary."""

import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from helpers import QUICK, clip, pocket

from lit_widget.cli import main
from lit_widget.study import ErrorTime, Study, StudyError, plan, summary
from lit_widget.study.log import ParticipantFile
from lit_widget.study.planning import Task
from lit_widget.study.timing import LogEvent, error_times, seconds

ROOT = Path(__file__).parent.parent
VIDEOS = ["practice", "a", "b", "c", "d", "e", "f", "g"]


# --- The plan ---------------------------------------------------------------------------------------------------------


def counted(tasks):
    return [task for task in tasks if task.counted]


@pytest.mark.parametrize("people", [2, 6, 14])
@pytest.mark.parametrize("seed", range(5))
def test_each_video_has_the_baseline_first_for_exactly_half(people, seed):
    tasks = plan(VIDEOS, people, seed=seed)
    first, place = Counter(), Counter()
    for own in tasks.values():
        assert [task.number for task in own] == list(range(1, 17))
        assert {task.video for task in own[:2]} == {"practice"}
        assert not any(task.counted for task in own[:2])
        assert Counter((task.video, task.condition) for task in counted(own)) == Counter(
            itertools.product(VIDEOS[1:], ("baseline", "lit"))
        )
        for one, other in zip(own[::2], own[1::2], strict=True):
            assert one.video == other.video
            first[one.video, one.condition] += 1
        for task in own:
            place[task.number, task.condition] += 1
        baselines = sum(task.condition == "baseline" for task in counted(own)[::2])
        assert baselines in (3, 4)
    assert set(first.values()) == set(place.values()) == {people // 2}


def test_in_the_other_design_each_video_has_each_condition_for_exactly_half():
    seen = Counter()
    for own in plan(VIDEOS, 10, design="one", seed=3).values():
        assert len(counted(own)) == 7
        seen.update((task.video, task.condition) for task in own)
    assert {count for (video, _), count in seen.items() if video != "practice"} == {5}


def test_orders_are_random_and_the_same_for_the_same_seed():
    one, again, other = (plan(VIDEOS, 6, seed=seed) for seed in (0, 0, 1))
    assert one == again != other
    assert len({tuple(task.video for task in own) for own in one.values()}) == 3


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"participants": ["Ada", "Bob"]}, "no name or address"),
        ({"participants": ["a@b.org", "P2"]}, "no name or address"),
        ({"participants": ["P1", "P1"]}, "same identifier"),
        ({"participants": 3}, "even number"),
        ({"participants": 0}, "even number"),
        ({"videos": ["a"]}, "two videos or more"),
        ({"videos": []}, "two videos or more"),
        ({"videos": ["a", "b", "b"]}, "two videos or more"),
        ({"practice": "z"}, "two videos or more"),
        ({"design": "three"}, "is unknown"),
    ],
)
def test_what_cannot_be_planned_is_refused(wrong, said):
    with pytest.raises(StudyError, match=said):
        plan(**{"videos": VIDEOS, "participants": 2, **wrong})


# --- Times ------------------------------------------------------------------------------------------------------------


def log(*rows):
    return [LogEvent(1000.0 + at, kind, *more) for at, kind, *more in rows]


def test_the_time_of_an_error_is_split_where_watching_stops_and_prompting_begins():
    events = log(
        (0, "opened"),
        (4, "touch", 0),
        (5, "confirm"),
        (9, "stop"),
        (9.5, "frame", 7),
        (10, "frame", 8),
        (12, "touch", 7),
        (14, "touch", 7),
        (15, "confirm", 7),
        (16, "correct", 7, "0.7"),
        (15.5, "frame", 8),
        (16.25, "frame", 9),
        (19, "frame", 8),
        (20, "touch", 8),
        (22, "confirm"),
        (22.1, "accept", 8, "0"),
        (30, "done"),
    )
    assert error_times(events) == [
        ErrorTime(7, "correct", 4.0, 3.0, 3.0, 0.7),
        ErrorTime(8, "accept", 1.25, 3.75, 2.0, 0.0),
    ]
    assert seconds(events) == 30.0


def test_an_interruption_is_not_counted():
    events = log((0, "opened"), (1, "confirm"), (2, "stop"), (5000, "opened"), (5003, "touch", 4), (5004, "confirm"))
    events += log((5004.5, "correct", 4, "0.1"), (5005, "done"))
    assert error_times(events) == [ErrorTime(4, "correct", 1.0, 3.0, 1.0, 0.1)]
    assert seconds(events) == 7.0


def test_two_corrections_confirmed_at_once_have_each_their_own_time():
    events = log((0, "confirm"), (2, "touch", 3), (4, "touch", 3), (5, "frame", 6), (7, "touch", 6), (8, "confirm"))
    events += log((8.1, "correct", 3, "0"), (8.2, "correct", 6, "0"))
    assert error_times(events) == [
        ErrorTime(3, "correct", 2.0, 0.0, 2.0, 0.0),
        ErrorTime(6, "correct", 1.0, 2.0, 1.0, 0.0),
    ]


def test_prompts_that_were_taken_back_or_were_no_correction_are_no_error():
    events = log((0, "touch", 0), (1, "confirm"), (3, "touch", 5), (4, "clear", 5), (6, "touch", 0), (7, "confirm"))
    assert error_times(events) == []
    events += log((7.5, "correct", 0, "0"))
    assert error_times(events) == [ErrorTime(0, "correct", 5.0, 0.0, 1.0, 0.0)]


# --- Sitting ----------------------------------------------------------------------------------------------------------


def test_a_log_that_cannot_be_written_is_kept_for_later(tmp_path):
    task = Task(1, "a", "lit", True)
    file = ParticipantFile(tmp_path / "P01.study", (task,))
    file._connection.execute("PRAGMA query_only = ON")
    for at in (1.0, 2.0):
        with pytest.raises(StudyError, match="cannot be written"):
            file.add(task, LogEvent(at, "frame", 1))
    file._connection.execute("PRAGMA query_only = OFF")
    file.add(task, LogEvent(3.0, "frame", 2))
    assert [event.at for event in file.events(task)] == [1.0, 2.0, 3.0]
    file.close()


def study(folder, **options):
    made = {name: clip(kind, 0, 6) for name, kind in (("practice", "easy"), ("union", "union"))}
    return Study(
        folder,
        videos={name: each.frames for name, each in made.items()},
        ground_truth={name: each.target for name, each in made.items()},
        **{"participants": 2, "model": pocket(), "update": QUICK, **options},
    )


def annotate(sitting, *, frames=(3,)):
    """What a participant does who knows the truth."""
    target = sitting._video(sitting.task)[1]
    sitting.begin()
    widget = sitting.widget
    widget.give_mask(0, target[0])
    widget.track()
    widget.wait()
    for frame in frames:
        widget.frame_index = frame
        widget.give_mask(frame, target[frame])
        widget.learn(frame)
        widget.wait()
    return widget


@pytest.mark.slow
def test_a_scripted_participant_goes_through_it_by_buttons(tmp_path):
    made = study(tmp_path)
    box = made.next("P01")
    done = 0
    while (task := made.sit("P01").task) is not None:
        (screen,) = box.children
        assert screen.begin.disabled
        screen.player.value = screen.player.max
        assert not screen.begin.disabled
        screen.begin.click()
        (screen,) = box.children
        widget = made.sit("P01").widget
        assert widget in screen.children
        assert ("proposed" in screen.children[0].value) == (task.condition == "lit")
        screen.done.click()
        assert "nothing was masked yet" in screen.children[2].value
        target = made.sit("P01")._video(task)[1]
        widget.give_mask(0, target[0])
        widget.track()
        widget.wait()
        widget.give_mask(2, target[2])
        screen.done.click()
        assert "frame 2 was not confirmed" in screen.children[2].value
        widget.learn(2)
        widget.wait()
        widget.flag(4)
        widget.wait()
        assert (widget.proposal is not None) == (task.condition == "lit")
        if widget.proposal is not None:
            widget.accept()
        screen.done.click()
        done += 1
    assert done == 4
    assert "Thank you" in box.children[0].value
    made.sit("P01").close()
    found = summary(tmp_path)
    assert list(found.tasks["corrections"]) == [1, 1]
    assert sorted(found.tasks["accepted"]) == [0, 1]
    assert (found.tasks["j_mean"] > 0.3).all()
    assert (found.tasks["total_s"] > 0).all()
    assert found.errors["condition"].value_counts().to_dict() == {"lit": 2, "baseline": 1}
    assert (found.errors[found.errors["condition"] == "lit"]["update_s"].iloc[0]) > 0


KILLED = """
import sys
sys.path.insert(0, "tests")
from pathlib import Path
from test_study import annotate, study
sitting = study(Path(sys.argv[1])).sit("P01")
annotate(sitting)
sitting.done()
annotate(sitting)
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_task_has_one_object_and_the_studys_own_learning(tmp_path):
    sitting = study(tmp_path).sit("P01")
    sitting.begin()
    for refused in (lambda w: w.set_learning(False), lambda w: w.add_object("x"), lambda w: w.delete_object(1)):
        with pytest.raises(ValueError, match=r"the study decides|has one object, the target"):
            refused(sitting.widget)
    state = sitting.widget._annotation.state
    assert state.saved
    assert not state.panel
    assert state.proposes == (sitting.task.condition == "lit")
    sitting.close()


def test_after_the_last_task_the_file_is_free_and_an_open_one_is_left_out(tmp_path):
    made = study(tmp_path)
    for identifier in made.plan:
        sitting = made.sit(identifier)
        while sitting.task is not None:
            annotate(sitting)
            sitting.done()
    assert made.sit("P01").next().children[0].value == "<p>That was the last video. Thank you!</p>"
    assert len(summary(tmp_path).participants) == 2
    opened = ParticipantFile(tmp_path / "P02.study")
    assert summary(tmp_path).unfinished == ("P02 (open)",)
    opened.close()


def test_a_study_made_anew_takes_over_and_absence_is_not_counted(tmp_path):
    first = study(tmp_path).sit("P01")
    annotate(first)
    again = study(tmp_path).sit("P01")
    assert first.closed
    assert again.task == again._file.task
    again.begin()
    assert again.widget.masks().any()
    time.sleep(1.0)  # nobody is there
    again.next()
    events = again._file.events(again.task)
    assert events[-1].kind == "opened"
    assert seconds(events) <= events[-1].at - events[0].at - 1.0
    again.close()


@pytest.mark.slow
def test_a_killed_kernel_goes_on_where_it_was(tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    with pytest.raises(StudyError, match="open in another kernel"):
        study(tmp_path).sit("P01")
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    killed = time.time()
    sitting = study(tmp_path).sit("P01")
    assert sitting.task.number == 2
    sitting.next()
    sitting.begin()
    assert sitting.widget.corrections == [3]
    assert sitting.widget.masks().any(axis=(1, 2)).all()
    sitting.done()
    events = sitting._file.events(sitting._file.tasks[1])
    assert [event.kind for event in events].count("opened") == 2
    assert [event.kind for event in events].count("correct") == 1
    assert max(event.at for event in events) >= killed
    assert len(error_times(events)) == 1
    assert sitting.task.number == 3
    sitting.close()


def test_a_study_that_was_changed_is_not_gone_on_with(tmp_path):
    study(tmp_path).sit("P01").close()
    study(tmp_path).sit("P01").close()
    with pytest.raises(StudyError, match="was begun with other videos"):
        study(tmp_path, design="one").sit("P01")
    with pytest.raises(StudyError, match="there are P01, P02"):
        study(tmp_path).sit("P03")


def test_truth_that_does_not_fit_is_refused(tmp_path):
    made = clip("easy", 0, 6)
    wrong = {"short": made.target[:3], "two": made.target + made.target[::-1].astype(int), "none": made.target & False}
    for name, truth in wrong.items():
        options = {"videos": {name: made.frames, "b": made.frames}, "ground_truth": {name: truth, "b": made.target}}
        with pytest.raises(StudyError, match="the ground truth of"):
            Study(tmp_path / name, **options, participants=2).next("P01")
    with pytest.raises(StudyError, match="different names"):
        Study(tmp_path, videos={"a": made.frames}, ground_truth={"b": made.target}, participants=2)


# --- The summary ------------------------------------------------------------------------------------------------------


def by_hand(folder, identifier, corrections, total_s, *, finished=True):
    """A file of one counted video under both conditions."""
    tasks = (Task(1, "p", "lit", False), Task(2, "a", "baseline", True), Task(3, "a", "lit", True))
    file = ParticipantFile(folder / f"{identifier}.study", tasks)
    for task, n_corrections, spent in zip(tasks, (99, *corrections), (9.0, *total_s), strict=True):
        file.add(task, LogEvent(0.0, "opened"))
        for index in range(n_corrections):
            start = index / n_corrections
            file.add(task, LogEvent(start, "confirm", None, "track"))
            file.add(task, LogEvent(start + 0.001, "stop"))
            file.add(task, LogEvent(start + 0.003, "touch", index + 1, "click"))
            file.add(task, LogEvent(start + 0.006, "confirm", index + 1, "learn"))
            file.add(task, LogEvent(start + 0.007, "correct", index + 1, "0.5"))
        file.add(task, LogEvent(spent, "done"))
        if finished or task.number < 3:
            file.finish(task, 0.8)
    file.close()


@pytest.fixture
def folder(tmp_path):
    by_hand(tmp_path, "P01", (10, 4), (300.0, 200.0))
    by_hand(tmp_path, "P02", (6, 4), (100.0, 120.0))
    by_hand(tmp_path, "P03", (50, 50), (1.0, 1.0), finished=False)
    return tmp_path


def test_a_copy_of_a_participant_is_named(folder):
    (folder / "P04.study").write_bytes((folder / "P01.study").read_bytes())
    with pytest.raises(StudyError, match=r"P04\.study is a copy of .*P01\.study"):
        summary(folder)


def test_the_numbers_of_a_folder_made_by_hand(folder):
    found = summary(folder)
    assert found.unfinished == ("P03",)
    assert list(found.table.index) == ["baseline", "lit"]
    assert list(found.table["tasks"]) == [2, 2]
    assert list(found.table["corrections"]) == [8.0, 4.0]
    assert list(found.table["total_s"]) == [200.0, 160.0]
    for column, wanted in (("pausing_s", 0.001), ("locating_s", 0.002), ("correcting_s", 0.003), ("j_mean", 0.8)):
        np.testing.assert_allclose(found.table[column], wanted)
    fewer, less = found.reduction("corrections"), found.reduction("total_s")
    assert (fewer.estimate, less.estimate) == pytest.approx((50.0, 20.0))
    # Two participants can be drawn in three ways; the interval ends at those that show one alone.
    assert (fewer.low, fewer.high) == pytest.approx((100 / 3, 60.0))
    assert (less.low, less.high) == pytest.approx((-20.0, 100 / 3))
    assert "LIT saved 50 % [33, 60] of the corrections and 20 % [-20, 33] of the time" in repr(found)
    assert "Not finished, not counted: P03" in found._repr_html_()


def test_the_command_writes_tables_and_the_figure(folder, capsys):
    assert main(["study", str(folder), "--out", str(folder / "out")]) == 0
    assert "LIT saved 50 %" in capsys.readouterr().out
    assert {each.name for each in (folder / "out").iterdir()} == {
        "summary.csv",
        "tasks.csv",
        "errors.csv",
        "figure.png",
    }
    corrections, minutes, parts = summary(folder).plot().axes
    assert [bar.get_height() for bar in corrections.patches] == [8.0, 4.0]
    assert [bar.get_height() for bar in minutes.patches] == pytest.approx([200 / 60, 160 / 60])
    assert len(corrections.lines) == 2
    assert len(parts.patches) == 6


def test_folders_without_results_and_files_of_others_are_refused(tmp_path, capsys):
    assert main(["study", str(tmp_path)]) == 2
    assert "holds no file of a participant" in capsys.readouterr().err
    by_hand(tmp_path, "P03", (1, 1), (1.0, 1.0), finished=False)
    with pytest.raises(StudyError, match="nobody in"):
        summary(tmp_path)
    for content in (b"no database", b""):
        (tmp_path / "P04.study").write_bytes(content)
        with pytest.raises(StudyError, match=r"P04\.study"):
            summary(tmp_path)
    by_hand(tmp_path, "P05", (1, 1), (1.0, 1.0))
    (tmp_path / "P04.study").unlink()
    with sqlite3.connect(tmp_path / "P05.study") as connection:
        connection.execute("UPDATE event SET what = 'x' WHERE kind = 'correct'")
    connection.close()
    with pytest.raises(StudyError, match=r"P05\.study is damaged"):
        summary(tmp_path)
