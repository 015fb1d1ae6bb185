"""Labelling images by method, without any front end: groups, verdicts, learning, undo, errors, files."""

import base64
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from gallery_helpers import (
    CLASSES,
    Slow,
    arrays,
    features_folder,
    gallery_on,
    grey,
    label_all,
    look_alikes,
    opened,
    pocket,
)
from PIL import Image

from lit_widget.core.checks import same_weights
from lit_widget.images.learner import ImageItem
from lit_widget.widget.gallery.widget import LITClassifier
from lit_widget.widget.limits import AnnotationError
from lit_widget.widget.widget import LITWidget

NASTY = '<img src=x onerror="window.hacked = 1"><b>bold</b>'


@pytest.fixture
def gallery():
    widget = gallery_on()
    yield widget
    widget.close()


def done(widget):
    assert widget.wait(30.0)
    return widget


def guesses(widget, image, n):
    """The model's first guesses."""
    prediction = widget._labelling.learner.predict_one(ImageItem(image, 0))
    return prediction.output.top(n)


def missed(widget, image):
    """A class that the model nearly has among its first guesses."""
    return guesses(widget, image, 4)[3]


def largest(widget):
    """The images of the largest group."""
    return max(widget._labelling.groups.queues.values(), key=len)


def snapshot(widget):
    return widget._labelling.learner.snapshot()


def adapters(widget):
    return snapshot(widget).adapters


# --- Groups and verdicts ----------------------------------------------------------------------------------------------


def test_images_are_grouped_by_the_models_first_guess(gallery):
    table = gallery.labels
    assert len(table) == 24
    assert set(table.verdict) == {"open"}
    assert table.label.isna().all()
    for image in range(24):
        assert table.looks_like[image] == gallery.classes[guesses(gallery, image, 1)[0]]
    state = gallery._labelling.state
    assert sum(group.n_images for group in state.groups) == 24
    assert gallery.image == 0
    gallery._pixel_worker.wait()
    bundle, _ = gallery._repr_mimebundle_()
    picture = Image.open(io.BytesIO(base64.b64decode(bundle["image/jpeg"])))
    assert picture.width == 640
    assert np.asarray(picture)[12:204, 12:204].std() > 10, "the image to label, large"


def test_a_class_among_the_first_guesses_is_no_correction(gallery):
    gallery.label(0, guesses(gallery, 0, 3)[2])
    gallery.label(0, guesses(gallery, 0, 4)[3])
    done(gallery)
    assert gallery.counts["corrected"] == 1
    gallery.label(0, guesses(gallery, 0, 1)[0])
    assert done(gallery).counts == {"confirmed": 1, "accepted": 0, "corrected": 0, "skipped": 0, "flagged": 0}
    assert adapters(gallery) == {}


@pytest.fixture
def twins():
    """A gallery in which one image is there three times: what is learned of the first is known of the others."""
    widget = gallery_on(look_alikes(24).only([0, 0, 0, 1]))
    yield widget
    widget.close()


def test_a_correction_is_learned_and_saves_the_next_one(twins):
    gallery, first, second = twins, 0, 1
    wanted = missed(gallery, first)
    gallery.label(first, wanted)
    done(gallery)
    assert gallery.labels.verdict[first] == "corrected"
    assert gallery.labels.learned[first]
    card = gallery._labelling.cards.cards[0]
    assert card.image == gallery.image == second
    assert card.version == 1
    assert card.adapter == wanted == card.guesses[0].label
    assert card.guesses[0].adapter > card.guesses[0].base
    gallery.label(second, wanted)
    assert done(gallery).counts["accepted"] == 1
    assert gallery._labelling.state.adapter.learned_from == [first]
    assert gallery._labelling.state.adapter.labels == [wanted]


def test_after_a_group_comes_the_next_one(gallery):
    groups = gallery._labelling.groups
    seen = []
    while (gallery.labels.verdict == "open").any():
        seen.append(int(groups.of[gallery.image]))
        gallery.skip(gallery.image)
        done(gallery)
    order = list(dict.fromkeys(seen))
    assert seen == sorted(seen, key=order.index)
    assert set(order) == set(groups.queues)
    assert gallery.counts["skipped"] == 24


def test_strategy_original_and_learning_off_learn_nothing():
    gallery = gallery_on(strategy="original")
    gallery.label(0, missed(gallery, 0))
    assert done(gallery).counts["corrected"] == 1
    assert adapters(gallery) == {}
    gallery.close()


def test_learning_can_be_turned_off_and_on(twins):
    gallery, (first, second, third) = twins, range(3)
    wanted = missed(gallery, first)
    gallery.label(first, wanted)
    gallery.set_learning(False)
    gallery.label(second, wanted)
    done(gallery)
    assert list(gallery.labels.verdict[[first, second]]) == ["corrected", "corrected"]
    assert not gallery._labelling.state.learning
    gallery.set_learning(True)
    gallery.label(third, wanted)
    assert done(gallery).labels.verdict[third] == "accepted"


# --- Undo -------------------------------------------------------------------------------------------------------------


def test_undo_and_redo_take_labels_and_weights(gallery):
    states = [(gallery.labels, snapshot(gallery))]
    first, second = largest(gallery)[:2]
    steps = [
        lambda: gallery.label(first, missed(gallery, first)),
        lambda: gallery.flag(second),
        lambda: gallery.label(second, missed(gallery, second) or 1),
        lambda: gallery.skip(first),
        lambda: gallery.label(first, guesses(gallery, first, 1)[0]),
    ]
    for step in steps:
        step()
        done(gallery)
        states.append((gallery.labels, snapshot(gallery)))
    for table, weights in reversed(states[:-1]):
        gallery.undo()
        done(gallery)
        pd.testing.assert_frame_equal(gallery.labels, table)
        assert same_weights(snapshot(gallery), weights)
    gallery.undo()
    with pytest.raises(AnnotationError, match="nothing to undo"):
        gallery.wait()
    for table, weights in states[1:]:
        gallery.redo()
        done(gallery)
        pd.testing.assert_frame_equal(gallery.labels, table)
        assert same_weights(snapshot(gallery), weights)
    gallery.redo()
    with pytest.raises(AnnotationError, match="nothing to redo"):
        gallery.wait()


def test_undo_goes_back_to_the_image(gallery):
    gallery.label(0, missed(gallery, 0))
    done(gallery)
    assert gallery.image != 0
    gallery.undo()
    assert done(gallery).image == 0


def test_another_label_takes_back_what_was_learned_of_the_wrong_one(gallery):
    wrong, right = guesses(gallery, 0, CLASSES)[-2:]
    gallery.label(0, right)
    done(gallery)
    expected = snapshot(gallery)
    gallery.undo()
    gallery.label(0, wrong)
    gallery.label(0, right)
    done(gallery)
    assert same_weights(snapshot(gallery), expected)
    gallery.undo()
    done(gallery)
    assert gallery.labels.label[0] == gallery.classes[wrong]
    assert gallery._labelling.state.adapter.learned_from in ([], [0])


def test_unlearning_keeps_the_label(gallery):
    gallery.label(0, missed(gallery, 0))
    gallery.unlearn(0)
    done(gallery)
    assert adapters(gallery) == {}
    assert gallery.labels.label[0] == gallery.classes[missed(gallery, 0)]
    gallery.undo()
    assert len(adapters(done(gallery))) == 1
    gallery.unlearn(1)
    with pytest.raises(AnnotationError, match=r"nothing was learned from image 1 .* but from images \[0\]"):
        gallery.wait()
    gallery.undo()
    assert done(gallery).counts["corrected"] == 0


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "classes", "sentence"),
    [
        ([], ["a", "b"], "holds no images; give at least one"),
        ("nowhere", ["a", "b"], "there is no folder nowhere"),
        (3, ["a", "b"], "images are a folder, a list of paths or arrays, or an image set, not of type int"),
        ([3], ["a", "b"], "image 0 is neither a path nor an array, but of type int"),
        ([grey(1)], None, r"the images say nothing of classes; give their names"),
        ([grey(1)], "wren", r"classes are a list of names, such as \['wren', 'robin'\], not 'wren'"),
        ([grey(1)], ["wren"], "at least two"),
        ([grey(1)], ["wren", " "], "class 1 has an empty name"),
        ([grey(1)], ["wren", "robin", "Wren"], "classes 0 and 2 are called"),
    ],
)
def test_what_cannot_be_labelled_is_refused(images, classes, sentence):
    with pytest.raises(ValueError, match=sentence):
        opened(images, classes)


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(ValueError, match=r"there is no image in .* images end in .avif"):
        opened(tmp_path, ["a", "b"])


@pytest.mark.parametrize("options", [{"top": 0}, {"top": CLASSES}, {"placement": "nowhere"}, {"strategy": "magic"}])
def test_wrong_options_are_refused(options):
    with pytest.raises(ValueError, match=r"top is from|adapters are placed at|unknown strategy"):
        opened(**options)


def test_few_classes_need_no_option_and_unknown_words_are_said():
    with pytest.warns(UserWarning, match=r"'pocket' sees no difference between 'wolf' and other classes \(1 of 2"):
        gallery = gallery_on(arrays(3), ["fox", "wolf"])
    assert gallery._labelling.state.group == guesses(gallery, 0, 1)[0]
    assert gallery._labelling.top == 1
    gallery.close()


def test_wrong_images_and_labels_are_refused(gallery):
    name = gallery.classes[0]
    with pytest.raises(AnnotationError, match=f"there is no class 'X{name}'; did you mean '{name}'"):
        gallery.label(0, f"X{name}")
    with pytest.raises(AnnotationError, match="there is no class 12; classes are 0 to 11"):
        gallery.label(0, 12)
    gallery.label(24, 0)
    with pytest.raises(AnnotationError, match="there is no image 24; images are 0 to 23"):
        gallery.wait()
    empty = next(i for i in range(CLASSES) if i not in gallery._labelling.groups.queues)
    gallery.show_group(empty)
    with pytest.raises(AnnotationError, match=r"no image looks like .* so that group is empty"):
        gallery.wait()
    with pytest.raises(AnnotationError, match="nothing is called 'click'; what is said is label, skip"):
        gallery.on("click", print)
    assert set(gallery.labels.verdict) == {"open"}


def test_corrupt_images_are_named_and_the_rest_goes_on(tmp_path):
    for index, array in enumerate(arrays(4)):
        Image.fromarray(array).save(tmp_path / f"{index}.png")
    (tmp_path / "1.png").write_bytes(b"no image")
    (tmp_path / "3.png").write_bytes((tmp_path / "2.png").read_bytes()[:200])
    Image.fromarray(np.full((20, 20), 40_000, np.uint16)).save(tmp_path / "deep.png")
    (tmp_path / "link.png").symlink_to("nowhere.png")
    gallery = opened(tmp_path, list(look_alikes().class_names))
    gallery._look_worker.wait()
    gallery.wait()
    assert sorted(gallery.problems) == [1, 3, 4, 5]
    assert "deep.png has more than 8 bits per channel" in gallery.problems[4]
    assert "link.png cannot be read as an image" in gallery.problems[5]
    assert "1.png cannot be read as an image" in gallery.problems[1]
    assert list(gallery.labels.verdict) == ["open", "unreadable", "open", *["unreadable"] * 3]
    report = gallery._look.report()
    assert (report.status, report.n_done, report.n_unreadable, len(report.problems)) == ("done", 6, 4, 4)
    gallery.label(1, 0)
    with pytest.raises(AnnotationError, match=r"image 1 \(1.png\) cannot be read; `problems` says why"):
        gallery.wait()
    gallery.label(0, 0)
    gallery.label(2, 0)
    assert not (done(gallery).labels.verdict == "open").any()
    gallery.close()


def test_photos_are_upright(tmp_path):
    image = Image.fromarray(np.concatenate([grey(0), grey(255)], 1))
    exif = image.getexif()
    exif[274] = 6
    image.save(tmp_path / "a.jpg", exif=exif)
    gallery = gallery_on(tmp_path, ["a", "b", "c", "d"])
    shown = np.asarray(gallery._pictures.shown(0, at_most=400))
    assert shown.shape == gallery._pictures.images.read(0).shape == (120, 40, 3)
    assert shown[10].mean() < 60
    assert shown[110].mean() > 200
    gallery.close()


# --- Looking ----------------------------------------------------------------------------------------------------------


def test_labelling_does_not_wait_for_the_model_to_see_all(tmp_path):
    gallery = opened(model=Slow(0.05), features=tmp_path)
    deadline = time.monotonic() + 20
    while gallery.image < 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert gallery._look.status == "running"
    started = time.monotonic()
    gallery.label(gallery.image, 0)
    gallery._model_worker.wait()
    assert time.monotonic() - started < 1.0
    assert (gallery.labels.verdict != "open").sum() == 1
    gallery.cancel()
    done(gallery)
    seen = gallery._look.store.done
    assert gallery._look.status == "stopped"
    assert 2 <= seen < 24
    with pytest.raises(AnnotationError, match="the model has not looked at image 23 yet"):
        gallery._labelling.check(23)
    gallery.look()
    assert done(gallery)._look.status == "done"
    assert (gallery._labelling.groups.of >= 0).all()
    assert (gallery.labels.verdict != "open").sum() == 1
    gallery.close()


def test_features_are_computed_once(tmp_path):
    slow = Slow(0.01)
    gallery_on(model=slow, features=tmp_path).close()
    started = time.monotonic()
    gallery_on(model=slow, features=tmp_path).close()
    assert time.monotonic() - started < 24 * 0.01 + 1.0


# --- Callbacks, tables, files -----------------------------------------------------------------------------------------


def test_callbacks_hear_what_is_said_and_cannot_break_it(gallery):
    heard, labels = [], []
    stop = gallery.on(None, heard.append)
    gallery.on("label", lambda said: labels.append((said.name, said.label)))
    gallery.on("label", lambda _: 1 / 0)
    gallery.on("flag", lambda _: gallery.wait())
    gallery.label(0, missed(gallery, 0))
    gallery.flag(1)
    gallery.undo()
    gallery.undo()
    done(gallery)
    stop()
    gallery.skip(2)
    done(gallery)
    assert [(said.what, said.image) for said in heard] == [("label", 0), ("flag", 1), ("undo", 1), ("undo", 0)]
    assert labels == [("image 0", gallery.classes[missed(gallery, 0)])]
    assert [said.verdict for said in heard] == ["corrected", "open", "open", "open"]


def test_labels_are_written_as_csv_and_json(tmp_path):
    gallery = gallery_on([grey(i) for i in range(3)], ['ünlü, "quoted"', NASTY, "c", "d"])
    gallery.label(0, NASTY)
    gallery.label(1, 0)
    gallery.flag(2)
    done(gallery)
    table = pd.read_csv(gallery.export(tmp_path / "labels.csv"), index_col="image")
    assert list(table.label[:2]) == [NASTY, 'ünlü, "quoted"']
    assert table.label.isna()[2]
    assert list(table.flagged) == [False, False, True]
    written = json.loads(gallery.export(tmp_path / "labels.json").read_text("utf-8"))
    assert written["classes"] == gallery.classes
    assert [row["label"] for row in written["labels"]] == [NASTY, 'ünlü, "quoted"', None]
    with pytest.raises(ValueError, match="is there already; write overwrite=True"):
        gallery.export(tmp_path / "labels.csv")
    gallery.export(tmp_path / "labels.csv", overwrite=True)
    with pytest.raises(ValueError, match="labels are written as csv or json"):
        gallery.export(tmp_path / "labels.xlsx")
    with pytest.raises(ValueError, match="there is no folder"):
        gallery.export(tmp_path / "nowhere" / "labels.csv")
    for none in ("", "labels\0.csv"):
        with pytest.raises(ValueError, match="a path is a text"):
            gallery.export(none)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.csv", "labels.json"]
    gallery.close()


def test_the_simulation_takes_the_truth_from_wherever_it_is_known():
    gallery = gallery_on()
    result = gallery.run_simulation(shuffles=0, strategies=["original", "lit-lora"])
    assert result.records.groupby("strategy").images.sum().to_dict() == {"original": 24, "lit-lora": 24}
    assert adapters(gallery) == {}
    gallery.close()
    unknown = gallery_on(arrays(6), list(look_alikes().class_names))
    with pytest.raises(AnnotationError, match="there is no truth to simulate with"):
        unknown.run_simulation()
    with pytest.raises(AnnotationError, match="there are 2 labels for 6 images"):
        unknown.run_simulation([0, 1])
    unknown.label(0, 1)
    unknown.label(1, 2)
    assert unknown.run_simulation(done(unknown).labels.label, shuffles=0).records.images.sum() == 3 * 2
    assert unknown.run_simulation(shuffles=0).records.query("strategy == 'original'").images.sum() == 2
    assert unknown.run_simulation({4: 0}, shuffles=0).records.query("strategy == 'original'").images.sum() == 1
    unknown.close()


# --- Sessions ---------------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from gallery_helpers import *
gallery = gallery_on({images!r}, list(look_alikes().class_names), session={path!r}, features={features!r})
for image, label in {labels!r}:
    gallery.label(image, label)
gallery.flag(1)
gallery.wait()
print(gallery.counts, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_kernel_loses_nothing(tmp_path):
    (tmp_path / "images").mkdir()
    for index, array in enumerate(arrays(6)):
        Image.fromarray(array).save(tmp_path / "images" / f"{index}.png")
    path, features = str(tmp_path / "labels.lit"), str(tmp_path / "features")
    labels = [(0, 11), (1, 10), (2, 11), (3, 0)]
    code = KILLED.format(
        tests=str(Path(__file__).parent), images=str(tmp_path / "images"), path=path, features=features, labels=labels
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    gallery = LITClassifier.open(path, features=features)
    done(gallery)
    table = gallery.labels
    assert [gallery.classes.index(table.label[image]) for image, _ in labels] == [label for _, label in labels]
    assert table.flagged[1]
    assert str(gallery.counts) == ended.stdout.strip()
    trained = [image for image in range(6) if table.learned[image]]
    learned = [item.image for state in adapters(gallery).values() for item in state.learned_from]
    assert sorted(learned) == trained
    assert trained
    assert gallery.image in (4, 5)
    with pytest.raises(ValueError, match="is open in another kernel or widget"):
        LITClassifier.open(path)
    with pytest.raises(ValueError, match="the classes are in the session's file"):
        LITClassifier.open(path, classes=["fox"])
    gallery.label(4, 11)
    done(gallery).close()

    (tmp_path / "images").rename(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=r"say where the images are now: LITClassifier.open\(path, images\)"):
        LITClassifier.open(path)
    again = LITClassifier.open(path, tmp_path / "elsewhere", features=features)
    assert again.labels.label[4] == again.classes[11]
    again.close()
    (tmp_path / "elsewhere" / "5.png").unlink()
    with pytest.raises(ValueError, match="not the images of the session, which has 6 with other names"):
        LITClassifier.open(path, tmp_path / "elsewhere")


def test_what_is_heard_of_is_in_the_file(tmp_path):
    gallery = gallery_on(session=tmp_path / "labels.lit")
    kept = []

    def read(said):
        file = gallery._keeper.file
        assert not file.connection.in_transaction
        kept.extend(file.rows(f"SELECT label FROM label WHERE image = {said.image}"))

    gallery.on("label", read)
    for image in range(4):
        gallery.label(image, missed(gallery, image))
    done(gallery)
    assert kept == [(missed(gallery, image),) for image in range(4)]
    gallery.close()


def test_closing_does_what_was_said_last(tmp_path):
    gallery = gallery_on(session=tmp_path / "labels.lit")
    for image in range(10):
        gallery.label(image, 0)
    gallery.cancel()
    gallery.label(99, 0)
    with pytest.warns(UserWarning, match="not done: there is no image 99"):
        gallery.close()
    again = LITClassifier.open(tmp_path / "labels.lit", look_alikes(), features=features_folder())
    assert again.labels.label.notna().sum() == 10
    again.close()


def test_what_was_learned_before_reopening_can_be_taken_back(tmp_path):
    twins, path = look_alikes(24).only([0, 0, 0, 1]), tmp_path / "labels.lit"
    gallery = gallery_on(twins, session=path)
    wrong, right = guesses(gallery, 0, CLASSES)[-2:]
    gallery.label(0, wrong)
    gallery.label(1, right)
    done(gallery).close()
    other = gallery_on(twins)
    other.label(1, right)
    expected = snapshot(done(other))
    other.close()

    again = LITClassifier.open(path, twins, model=pocket(), features=features_folder())
    again.wait()
    before = snapshot(again)
    again.unlearn(0)
    assert same_weights(snapshot(done(again)), expected)
    again.undo()
    assert same_weights(snapshot(done(again)), before)
    again.label(0, right)
    assert done(again).labels.label[0] == again.classes[right]
    again.skip(1)
    assert done(again).labels.verdict[1] == "skipped"
    again.close()


def test_images_that_changed_are_named(tmp_path):
    folder, names, features = tmp_path / "images", list(look_alikes().class_names), tmp_path / "features"
    folder.mkdir()
    for index, array in enumerate(arrays(4)):
        Image.fromarray(array).save(folder / f"{index}.png")
    gallery = gallery_on(folder, names, session=tmp_path / "labels.lit", features=features)
    gallery.label(1, 0)
    done(gallery).close()
    Image.fromarray(grey(3)).save(folder / "1.png")
    with pytest.warns(UserWarning, match="not what they were when the session was begun: 1.png; their labels are kept"):
        again = LITClassifier.open(tmp_path / "labels.lit", features=features)
    assert again.labels.label[1] == names[0]
    again.close()
    (folder / "0.png").rename(folder / "9.png")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "1-checkpoint.png").write_bytes((folder / "1.png").read_bytes())
    with pytest.raises(ValueError, match=r"give those that it was made with; missing: 0.png; new: 9.png$"):
        LITClassifier.open(tmp_path / "labels.lit", features=features)


def test_what_is_no_session_of_labels_is_refused(tmp_path):
    path = tmp_path / "labels.lit"
    gallery = gallery_on(session=path)
    label_all(gallery, 3)
    assert gallery.session == str(path)
    gallery.close()
    with pytest.raises(ValueError, match=r"is there already; LITClassifier.open"):
        opened(session=path)
    with pytest.raises(ValueError, match="were given one by one; give them again"):
        LITClassifier.open(path)
    with pytest.raises(ValueError, match=r"no session file of lit-widget \(LITWidget\)"):
        LITWidget.open(path)
