"""Random actions of a user over the protocol: whatever is sent in whatever order, nothing that was settled is lost.

LIT_ACTIONS=10000 runs so many of them instead of a few hundred.
"""

import os
from dataclasses import replace

import numpy as np
from helpers import QUICK, clip, done, widget_on
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lit_widget.widget.codec import decode_mask, encode_mask
from lit_widget.widget.messages import PROTOCOL

FRAMES = 5
STEPS = 50
ACTIONS = int(os.environ.get("LIT_ACTIONS", "250"))
TARGET = clip("union", frames=FRAMES).target
HEIGHT, WIDTH = TARGET[0].shape

# One more than there are: what does not exist is asked for as well.
frames = st.integers(0, FRAMES)
objects = st.integers(1, 4)
xs, ys = st.integers(0, WIDTH), st.integers(0, HEIGHT)
areas = st.sampled_from([TARGET[0], TARGET[3], np.zeros_like(TARGET[0]), np.indices(TARGET[0].shape).sum(0) % 3 == 0])


class Actions(RuleBasedStateMachine):
    """A view that believes what it hears, and a user who tries everything."""

    @initialize()
    def open(self):
        self.widget, self.heard = widget_on(frames=FRAMES, update=replace(QUICK, epochs=1))
        self.masks, self.versions, self.state, self.errors = {}, {}, None, []
        self.send("hello", protocol=PROTOCOL)
        # Something to lose: two objects tracked, one of them corrected.
        self.give_mask(0, 1, TARGET[0])
        self.simple("addObject")
        self.give_mask(1, 2, TARGET[1])
        self.send("track", start=0, reverse=False, stop=None)
        self.give_mask(2, 1, TARGET[2])
        self.on_frame("learn", 2, 1)

    def teardown(self):
        if hasattr(self, "widget"):
            self.widget.close()

    def send(self, kind, buffers=(), **fields):
        """Send a message, wait until it is dealt with, and believe the answers as the view does."""
        self.widget._receive(None, {"type": kind, **fields}, list(buffers))
        done(self.widget)
        heard, self.heard[:] = list(self.heard), []
        for message, received in heard:
            if message["type"] == "state":
                self.state = message
            elif message["type"] == "masks":
                for frame, object_id in message["forget"]:
                    self.masks.pop((frame, object_id), None)
                for info, data in zip(message["items"], received, strict=True):
                    key = info["frame"], info["object"]
                    if key not in self.masks or info["version"] > self.versions[key]:
                        self.versions[key], self.masks[key] = info["version"], data
            elif message["type"] == "error":
                self.errors.append(message["message"])

    # --- What a user does --------------------------------------------------------------------------------------------

    @rule(frame=frames, object_id=objects, x=xs, y=ys, positive=st.booleans())
    def click(self, frame, object_id, x, y, positive):
        self.send("click", frame=frame, object=object_id, x=x, y=y, positive=positive)

    @rule(frame=frames, object_id=objects, x=xs, y=ys)
    def box(self, frame, object_id, x, y):
        self.send("box", frame=frame, object=object_id, x0=x, y0=y, x1=x + 40, y1=y + 40)

    @rule(frame=frames, object_id=objects, mask=areas)
    def give_mask(self, frame, object_id, mask):
        self.send("giveMask", frame=frame, object=object_id, buffers=[encode_mask(mask)])

    @rule(frame=frames, object_id=objects, index=st.integers(0, 2))
    def remove_prompt(self, frame, object_id, index):
        self.send("removePrompt", frame=frame, object=object_id, index=index)

    @rule(kind=st.sampled_from(["clearPrompts", "learn", "flag", "forget"]), frame=frames, object_id=objects)
    def on_frame(self, kind, frame, object_id):
        self.send(kind, frame=frame, object=object_id)

    @rule(start=frames, reverse=st.booleans(), stop=st.none() | frames)
    def track(self, start, reverse, stop):
        settled = self.settled()
        self.send("track", start=start, reverse=reverse, stop=stop)
        for key, mask in settled.items():
            assert np.array_equal(self.mask(key), mask), f"tracking changed {key}"

    @rule(kind=st.sampled_from(["addObject", "reject", "undo", "redo", "cancel", "interrupt", "accept", "poll"]))
    def simple(self, kind):
        if kind == "poll":
            self.send("requestMasks", indices=list(range(FRAMES)))
        elif kind != "addObject" or len(self.state["objects"]) < 3:
            self.send(kind)

    @rule(kind=st.sampled_from(["choose", "deleteObject"]), object_id=objects)
    def on_object(self, kind, object_id):
        others = {key: mask for key, mask in self.shown().items() if key[1] != object_id}
        self.send(kind, object=object_id)
        assert all(np.array_equal(self.mask(key), mask) for key, mask in others.items())

    @rule(object_id=objects, hidden=st.none() | st.booleans(), locked=st.none() | st.booleans(), name=st.text())
    def edit(self, object_id, hidden, locked, name):
        self.send("editObject", object=object_id, hidden=hidden, locked=locked, name=name or None)

    @rule(first=st.none() | frames, last=st.none() | frames)
    def set_range(self, first, last):
        self.send("setRange", first=first, last=last)

    @rule(on=st.booleans())
    def set_learning(self, on):
        self.send("setLearning", on=on)

    @rule()
    def undo_and_redo(self):
        if not self.widget._annotation.session.history.can_redo and not self.state["standing"]:
            before, can_undo = self.shown(), self.state["can_undo"]
            self.send("undo")
            self.send("redo")
            assert not can_undo or same(self.shown(), before)

    # --- What must hold after each -----------------------------------------------------------------------------------

    @invariant()
    def the_view_shows_what_is_there(self):
        if self.state is None:
            return
        present = {
            (frame, each["id"]): mask
            for each in self.state["objects"]
            for frame in range(FRAMES)
            if (mask := self.mask((frame, each["id"]))) is not None
        }
        assert same(self.shown(), present)
        runs = {
            (frame, each["id"])
            for each in self.state["objects"]
            for first, last, _ in each["runs"]
            for frame in range(first, last + 1)
        }
        assert runs | {(each["frame"], each["object"]) for each in self.state["standing"]} == present.keys()

    @invariant()
    def nothing_unexpected_happened(self):
        assert not [error for error in getattr(self, "errors", ()) if error.startswith("Unexpected")]
        if self.state is not None:
            known = [each["id"] for each in self.state["objects"]]
            assert self.state["active_object"] in known
            assert len(set(known)) == len(known)

    def mask(self, key):
        frame, object_id = key
        return self.widget.mask(frame, object_id=object_id) if object_id in self.widget.objects else None

    def shown(self):
        """What the view would paint."""
        return {key: decode_mask(data, (HEIGHT, WIDTH)) for key, data in self.masks.items()}

    def settled(self):
        """What tracking must leave as it is: locked frames, and all frames of locked objects."""
        kept = {}
        for each in self.state["objects"]:
            for first, last, status in each["runs"]:
                if status in ("corrected", "accepted", "prompted") or each["locked"]:
                    kept |= {(frame, each["id"]): None for frame in range(first, last + 1)}
        # What stands there is learned first, and is then what stands.
        return {key: self.mask(key) for key in kept}


def same(left, right):
    return left.keys() == right.keys() and all(np.array_equal(left[key], right[key]) for key in left)


Actions.TestCase.settings = settings(
    max_examples=max(1, ACTIONS // STEPS),
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestActions = Actions.TestCase
