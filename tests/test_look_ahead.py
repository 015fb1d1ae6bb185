"""What is encoded while the user looks, and that it never keeps anybody waiting."""

import subprocess
import sys
import threading
import time

import pytest
from helpers import clip, done, pocket, widget_on

from lit_widget.video.interruptible import interruptible
from lit_widget.widget import messages as m
from lit_widget.widget.look_ahead import AHEAD
from lit_widget.widget.worker import Worker

FRAMES = 2 * AHEAD
PATIENCE_S = 20.0


def until(holds):
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def encoded(widget):
    features = widget._annotation.learner.features
    return [frame for frame in range(FRAMES) if frame in features]


def looked_at(**options):
    widget, _ = widget_on("easy", frames=FRAMES, **options)
    widget._receive(None, {"type": "hello", "protocol": m.PROTOCOL}, [])
    return widget


def test_frames_are_encoded_while_the_user_looks_and_a_click_encodes_none(monkeypatch):
    widget = looked_at()
    until(lambda: encoded(widget) == list(range(AHEAD)))
    asked = []
    encode = pocket().module.forward_image
    monkeypatch.setattr(pocket().module, "forward_image", lambda image: asked.append(image) or encode(image))
    y, x = clip("easy", 0, FRAMES).target[0].nonzero()
    widget.click(0, float(x.mean()), float(y.mean()))
    widget.track(0, stop=AHEAD - 1)
    assert done(widget).masks()[: AHEAD - 1].any(axis=(1, 2)).all()
    assert not asked


def test_it_follows_the_user():
    widget = looked_at()
    widget.frame_index = FRAMES - 2
    until(lambda: encoded(widget)[-2:] == [FRAMES - 2, FRAMES - 1])


def test_a_script_pays_for_nothing():
    widget, _ = widget_on("easy", frames=FRAMES)
    widget.frame_index = 3
    time.sleep(1.0)
    assert not encoded(widget)


def test_a_frame_that_cannot_be_read_is_met_by_who_asks_for_it(monkeypatch):
    monkeypatch.setattr(pocket().module, "forward_image", lambda _: 1 / 0)
    widget = looked_at()
    time.sleep(1.0)
    monkeypatch.undo()
    widget.click(0, 60.0, 60.0)
    assert done(widget).masks()[0].any()


def test_encoding_is_left_when_something_is_asked():
    module = pocket().module.image_encoder
    layers = []
    hook = module.trunk.blocks[0].register_forward_pre_hook(lambda *_: layers.append(1))
    finished = False
    with interruptible(module, lambda: len(layers) > 0):
        pocket().encode(clip().frames[0])
        finished = True
    hook.remove()
    assert layers == [1]
    assert not finished
    assert pocket().encode(clip().frames[0]).top.isfinite().all()


def test_other_threads_go_on_in_the_same_model():
    module, results = pocket().module.image_encoder, []
    with interruptible(module, lambda: True):
        thread = threading.Thread(target=lambda: results.append(pocket().encode(clip().frames[0])))
        thread.start()
        thread.join()
    assert len(results) == 1


def test_a_job_does_not_wait_for_what_is_done_ahead():
    begun, served = threading.Event(), []

    def ahead(asked):
        begun.set()
        until(asked)
        return True

    worker = Worker("test", served.append, ahead)
    assert begun.wait(PATIENCE_S)
    worker.submit(lambda _: served.append("job"))
    assert worker.wait(PATIENCE_S)
    worker.close()
    assert served == ["job"]


def test_nothing_ahead_is_waited_for():
    worker = Worker("test", print, lambda asked: not asked())
    time.sleep(0.6)
    assert not worker.busy
    assert worker.wait(0.0)
    worker.close()
    with pytest.raises(RuntimeError):
        worker.submit(print)
    worker.nudge()


HELLO = {"type": "hello", "protocol": m.PROTOCOL}


@pytest.mark.parametrize("doing", ["widget.track(0)", f"widget._receive(None, {HELLO}, [])"], ids=["tracking", "ahead"])
def test_python_ends_in_the_midst_of_work(doing):
    code = f"""
import time
from lit_widget import LITWidget, embedded_clip
clip = embedded_clip("easy", 0, frames=40)
widget = LITWidget(clip.frames)
widget.give_mask(0, clip.target[0])
widget.wait()
{doing}
time.sleep(0.7)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
