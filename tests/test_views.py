"""What views send and hear: messages do what methods do, masks arrive with versions, and nothing sent is lost."""

import io
import re
import sys
import threading
import zlib
from dataclasses import replace
from types import ModuleType
from typing import get_args

import numpy as np
import pytest
from helpers import clip, done, widget_on
from PIL import Image

from lit_widget.core.checks import same_weights
from lit_widget.widget.codec import decode_mask, encode_mask
from lit_widget.widget.messages import PROTOCOL, ToKernel

TARGET = clip("union").target
IMAGES = clip("union").frames


@pytest.fixture
def pair():
    widget, heard = widget_on()
    yield widget, heard
    widget.close()


def tell(widget, kind, **fields):
    """A message from a view, with the work it brings about done."""
    widget._receive(widget, {"type": kind, **fields}, [])
    return done(widget)


def heard_of(heard, kind):
    return [(message, buffers) for message, buffers in heard if message["type"] == kind]


def unpack(buffer):
    bits = np.unpackbits(np.frombuffer(zlib.decompress(buffer), np.uint8), count=TARGET[0].size)
    return bits.reshape(TARGET[0].shape).astype(bool)


class View:
    """Keeps the newest mask of every frame and object, as the browser does."""

    def __init__(self, heard):
        self.masks, self.versions = {}, {}
        for message, buffers in heard_of(heard, "masks"):
            assert len(message["items"]) == len(buffers)
            for item, buffer in zip(message["items"], buffers, strict=True):
                key = item["frame"], item["object"]
                mask, newest = unpack(buffer), self.versions.get(key, 0)
                # A mask that changed has a new version, or views could not tell which one is stale.
                assert item["version"] != newest or np.array_equal(mask, self.masks[key])
                if item["version"] >= newest:
                    self.masks[key], self.versions[key] = mask, item["version"]
            for key in message["forget"]:
                self.masks.pop(tuple(key), None)

    def shows(self, widget):
        held = {
            (frame, each): widget.mask(frame, object_id=each)
            for each in widget.objects
            for frame in range(len(widget.frames))
        }
        held = {key: mask for key, mask in held.items() if mask is not None}
        return held.keys() == self.masks.keys() and all(np.array_equal(self.masks[key], held[key]) for key in held)


# --- The same by message as by method ---------------------------------------------------------------------------------

STEPS = [
    ("click", {"frame": 0, "object": 1, "x": 128, "y": 96, "positive": True}),
    ("click", {"frame": 0, "object": 1, "x": 3.5, "y": 4, "positive": False}),
    ("track", {"start": 0}),
    ("click", {"frame": 3, "object": 1, "x": 120, "y": 90, "positive": True}),
    ("learn", {"frame": 3, "object": 1}),
    ("flag", {"frame": 5, "object": 1}),
    ("accept", {}),
    ("click", {"frame": 6, "object": 1, "x": 10, "y": 90, "positive": True}),
    ("clearPrompts", {"frame": 6, "object": 1}),
    ("undo", {}),
    ("redo", {}),
    ("undo", {}),
    ("flag", {"frame": 6, "object": 1}),
    ("reject", {}),
    ("forget", {"frame": 3, "object": 1}),
    ("giveMask", {"frame": 4, "object": 1, "mask": TARGET[4]}),
    ("click", {"frame": 4, "object": 1, "x": 10, "y": 90, "positive": False}),
    ("removePrompt", {"frame": 4, "object": 1, "index": 0}),
    ("setLearning", {"on": False}),
    ("learn", {"frame": 4, "object": 1}),
    ("setLearning", {"on": True}),
    ("box", {"frame": 6, "object": 1, "x0": 20, "y0": 30, "x1": 200, "y1": 150}),
    ("editObject", {"object": 1, "name": "bike", "colour": "#D55E00", "hidden": True, "locked": None}),
    ("setRange", {"first": 1, "last": 7}),
    ("addObject", {}),
    ("choose", {"object": 1}),
    ("click", {"frame": 7, "object": 2, "x": 128, "y": 96, "positive": True}),
    ("track", {"start": 7, "reverse": True, "stop": 5}),
    ("editObject", {"object": 2, "name": None, "colour": None, "hidden": None, "locked": True}),
    ("editObject", {"object": 2, "name": None, "colour": None, "hidden": None, "locked": False}),
    ("deleteObject", {"object": 2}),
    ("undo", {}),
    ("cancel", {}),
    ("interrupt", {}),
]


def by_method(widget, kind, fields):
    floats = ("x", "y", "x0", "y0", "x1", "y1")
    given = {{"object": "object_id"}.get(key, key): float(v) if key in floats else v for key, v in fields.items()}
    getattr(widget, re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", kind))(**given)
    return done(widget)


def by_message(widget, kind, fields):
    mask = fields.get("mask")
    message = {"type": kind, **{key: value for key, value in fields.items() if key != "mask"}}
    widget._receive(None, message, [] if mask is None else [encode_mask(mask)])
    return done(widget)


def timeless(state):
    return replace(state, adapters=[replace(adapter, update_s=0.0) for adapter in state.adapters], previews=False)


def test_messages_do_what_methods_do(pair):
    widget, heard = pair
    other, _ = widget_on()
    for kind, fields in STEPS:
        by_message(widget, kind, fields)
        by_method(other, kind, fields)
        assert View(heard).shows(widget), kind
        for each in widget.objects:
            assert np.array_equal(widget.masks(object_id=each), other.masks(object_id=each)), kind
        assert same_weights(*(each._annotation.learner.snapshot() for each in (widget, other)))
        assert timeless(widget._annotation.state) == timeless(other._annotation.state)
    actions, asked = get_args(ToKernel), {"hello", "poll", "requestFrames", "requestMasks", "preview"}
    assert {kind for kind, _ in STEPS} | asked == {cls.__name__[0].lower() + cls.__name__[1:] for cls in actions}
    assert not heard_of(heard, "error")
    other.close()


def test_undoing_a_click_repaints_the_mask(pair):
    widget, heard = pair
    widget.give_mask(0, TARGET[0])
    widget.track()
    widget.click(3, 2.0, 2.0)
    done(widget)
    tell(widget, "undo")
    assert View(heard).shows(widget)


# --- What views are told ----------------------------------------------------------------------------------------------


def test_a_resting_pointer_shows_what_a_click_would_give(pair):
    widget, heard = pair
    annotation = widget._annotation
    where = {"frame": 0, "object": 1, "x": 40.0, "y": 40.0, "positive": True}

    def previews():
        widget._receive(None, {"type": "preview", **where}, [])
        done(widget)
        return [(message, buffers) for message, buffers in heard if message["type"] == "previewMask"]

    annotation.previews = False
    assert previews() == []
    annotation.previews = True
    before = annotation.learner.snapshot()
    [(message, [mask])] = previews()
    assert message == {"type": "previewMask", **where}
    assert annotation.learner.snapshot().memory == before.memory
    assert annotation.pending == {}
    assert not annotation.session.history.can_undo
    assert widget.log.empty
    widget.click(0, 40.0, 40.0)
    done(widget)
    assert np.array_equal(decode_mask(mask, widget.mask(0).shape), widget.mask(0))
    annotation.previews = True
    gate = threading.Event()
    widget._model_worker.submit(lambda _: gate.wait(30))
    widget._receive(None, {"type": "preview", **where}, [])
    gate.set()
    done(widget)
    assert len(previews()) == 2, "asked while the model was at work and once after it"


def test_what_tracking_changed_is_told(pair):
    widget, heard = pair
    widget.give_mask(0, TARGET[0])
    widget.track(0)
    done(widget)
    assert widget.changed == [], "what was not there before has not changed"
    widget.track(0)
    assert done(widget).changed == [], "what is made again is the same"
    widget.give_mask(2, ~TARGET[2])
    widget.learn(2)
    changed = done(widget).changed
    assert changed
    assert min(changed) > 2
    last = [message for message, _ in heard if message["type"] == "state"][-1]
    runs = last["objects"][0]["changed"]
    assert [frame for first, end in runs for frame in range(first, end + 1)] == changed
    notes = [message["note"] for message, _ in heard if message["type"] == "job"]
    assert f"{len(changed)} masks changed" in notes
    widget.undo()
    assert set(changed) <= set(done(widget).changed)


def test_hello_brings_the_whole_state(pair):
    widget, heard = pair
    tell(widget, "hello", protocol=PROTOCOL)
    (state, _), (strips, strip), (proposal, buffers) = heard
    assert (state["type"], state["protocol"], state["model"]) == ("state", PROTOCOL, "pocket")
    assert state["video"] == {"name": "array", "n_frames": 8, "height": 192, "width": 256, "fps": 24.0}
    assert [(each["id"], each["name"], each["runs"]) for each in state["objects"]] == [(1, "object 1", [])]
    assert (state["can_undo"], state["n_corrections"], state["n_accepted"], state["saved_s"]) == (False, 0, 0, 0.0)
    assert (strips["type"], strips["objects"], strip) == ("confidenceStrips", [1], [bytes([255]) * 8])
    assert (proposal["type"], proposal["frame"], buffers) == ("proposalInfo", -1, [])


def test_another_protocol_is_told_to_reload(pair):
    widget, heard = pair
    tell(widget, "hello", protocol=PROTOCOL + 1)
    ((message, _),) = heard
    assert message["type"] == "error"
    assert "reload the page" in message["message"]


def test_the_state_tells_the_story(pair):
    widget, heard = pair
    widget.give_mask(0, TARGET[0])
    widget.track()
    widget.click(3, 128.0, 96.0)
    widget.learn(3)
    widget.flag(5)
    widget.accept()
    done(widget)
    state = heard_of(heard, "state")[-1][0]
    assert state["objects"][0]["runs"] == [
        (0, 0, "prompted"),
        (1, 2, "tracked"),
        (3, 3, "corrected"),
        (4, 4, "tracked"),
        (5, 5, "accepted"),
        (6, 7, "tracked"),
    ]
    adapter = state["adapters"][0]
    assert (adapter["version"], adapter["learned_from"], len(adapter["losses"])) == (1, [3], 3)
    assert adapter["update_s"] > 0
    # Finding the error and one click, as in the correction.
    assert (state["n_corrections"], state["n_accepted"], state["saved_s"]) == (1, 1, 2.5)
    assert state["can_undo"]
    info, (buffer,) = heard_of(heard, "proposalInfo")[0]
    assert info["frame"] == 5
    assert info["candidates"] == [{"source": "adapter", "adapter_version": 1, "learned_from": [3]}]
    assert np.array_equal(unpack(buffer), widget.mask(5))
    assert heard_of(heard, "proposalInfo")[-1][0]["frame"] == -1


def test_jobs_report_their_progress(pair):
    widget, heard = pair
    widget.give_mask(0, TARGET[0])
    widget.track()
    tell(widget, "learn", frame=0, object=1)
    widget._model_worker.wait(60.0)
    jobs = [message for message, _ in heard_of(heard, "job")]
    assert [job["status"] for job in jobs if job["status"] != "running"] == ["done", "done", "failed"]
    assert {job["total"] for job in jobs if job["kind"] == "track" and job["done"]} == {8}
    assert [job["id"] for job in jobs] == sorted(job["id"] for job in jobs)
    assert len({job["id"] for job in jobs}) == 3
    assert "no correction of object 1" in heard_of(heard, "error")[-1][0]["message"]
    assert widget.wait(), "an error of a view was charged to a method"


def test_frames_on_request(pair):
    widget, heard = pair
    tell(widget, "requestFrames", indices=[2, 99, -1, 0])
    ((message, buffers),) = heard_of(heard, "frames")
    assert message["indices"] == [2, 0]
    for index, buffer in zip([2, 0], buffers, strict=True):
        image = np.array(Image.open(io.BytesIO(buffer)))
        assert np.abs(image.astype(int) - IMAGES[index]).mean() < 12


def test_masks_on_request(pair):
    widget, heard = pair
    widget.give_mask(0, TARGET[0])
    done(widget)
    heard.clear()
    tell(widget, "requestMasks", indices=[0, 1, 99])
    ((message, buffers),) = heard_of(heard, "masks")
    assert [(item["frame"], item["object"], item["status"]) for item in message["items"]] == [(0, 1, "prompted")]
    assert message["forget"] == [(1, 1)]
    assert np.array_equal(unpack(buffers[0]), widget.mask(0))


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("click", "expected a message object, got str"),
        ({"type": "launch"}, "unknown message type 'launch'"),
        ({"type": "click", "frame": 0}, "lacks a field"),
        ({"type": "flag", "frame": 99, "object": 1}, "frame 99 does not exist; frames are 0 to 7"),
        ({"type": "flag", "frame": 0, "object": 5}, r"object 5 does not exist; objects are \[1\]"),
        ({"type": "flag", "frame": 0, "object": 1}, "has no mask on frame 0 yet; track to it first"),
        ({"type": "learn", "frame": 0, "object": 1}, "no correction of object 1 on frame 0 to learn from"),
        ({"type": "track", "start": 0}, "nothing to track yet; click the object"),
        ({"type": "track", "start": 5, "stop": 2}, "frame 2 is not on the way from frame 5; set reverse=True"),
        ({"type": "track", "start": 2, "stop": 5, "reverse": True}, "leave reverse out"),
        ({"type": "accept"}, "no open proposal"),
        ({"type": "reject"}, "no open proposal"),
        ({"type": "undo"}, "nothing to undo"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_said(pair, message, reason):
    widget, heard = pair
    widget._receive(widget, message, [])
    widget._model_worker.wait(60.0)
    ((error, _),) = heard_of(heard, "error")
    assert re.search(reason, error["message"])
    assert not heard_of(heard, "masks")


def test_after_closing_views_are_told(pair):
    widget, heard = pair
    widget.close()
    heard.clear()
    widget._receive(widget, {"type": "track", "start": 0}, [])
    assert "the widget was closed" in heard_of(heard, "error")[0][0]["message"]


# --- Hosts that drop what threads send --------------------------------------------------------------------------------


def test_colab_polls(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    widget, heard = widget_on()
    assert widget.transport == "poll"
    tell(widget, "hello", protocol=PROTOCOL)
    tell(widget, "click", frame=0, object=1, x=128, y=96, positive=True)
    assert not heard
    tell(widget, "poll")
    ((batch, buffers),) = heard
    kinds = [message["type"] for message in batch["messages"]]
    assert kinds[:3] == ["state", "confidenceStrips", "proposalInfo"]
    assert kinds[-1] == "job"
    at = kinds.index("masks")
    assert batch["n_buffers"][at] == 1
    assert np.array_equal(unpack(buffers[sum(batch["n_buffers"][:at])]), widget.mask(0))
    tell(widget, "poll")
    assert heard[-1][0]["messages"] == []
    widget.close()


def test_a_view_that_starts_to_poll_gets_the_state(pair):
    widget, heard = pair
    assert widget.transport == "push"
    tell(widget, "click", frame=0, object=1, x=128, y=96, positive=True)
    heard.clear()
    tell(widget, "poll")
    ((batch, _),) = heard
    assert [message["type"] for message in batch["messages"]] == ["state"]
    assert batch["messages"][0]["prompts"][0]["x"] == 128.0
    tell(widget, "addObject")
    assert len(heard) == 1


def test_a_view_that_says_hello_again_is_pushed_to(pair):
    widget, heard = pair
    tell(widget, "poll")
    tell(widget, "addObject")
    heard.clear()
    tell(widget, "hello", protocol=PROTOCOL)
    assert [message["type"] for message, _ in heard][:2] == ["batch", "state"]
    heard.clear()
    tell(widget, "addObject")
    assert heard_of(heard, "state")


def test_an_old_state_never_follows_a_newer_one(pair):
    widget, heard = pair
    old = widget._annotation.state
    tell(widget, "addObject")
    heard.clear()
    # A thread that read the state before is slower than the one that changed it.
    widget._outbox.post(old)
    assert len(heard[0][0]["objects"]) == 2
