"""Every message at the border: samples that both languages read, and nothing else gets in."""

import json
import os
from dataclasses import MISSING, fields
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_widget.widget import messages as m
from lit_widget.widget import to_view as v
from lit_widget.widget.values import MAX_INDICES, MAX_TEXT

CONTRACT = Path(__file__).parent / "contract"

TO_KERNEL = [
    m.Hello(m.PROTOCOL),
    m.Poll(),
    m.RequestFrames([0, 1, 41]),
    m.RequestMasks([7]),
    m.Click(12, 2, 120.5, 80.25, positive=True),
    m.Preview(12, 2, 60.5, 40.0, positive=False),
    m.Box(12, 2, 10.5, 20.0, 90.0, 80.25),
    m.GiveMask(12, 2),
    m.RemovePrompt(12, 2, 1),
    m.ClearPrompts(12, 2),
    m.AddObject(),
    m.Choose(2),
    m.EditObject(2, name="bike", colour="#D55E00", hidden=True, locked=False),
    m.DeleteObject(2),
    m.Track(5, reverse=True, stop=0),
    m.SetRange(5, None),
    m.SetLearning(on=False),
    m.Learn(12, 2),
    m.Flag(13, 2),
    m.Accept(1),
    m.Reject(),
    m.Cancel(),
    m.Interrupt(),
    m.Undo(),
    m.Redo(),
    m.Forget(12, 2),
]

TO_VIEW = [
    v.State(
        protocol=m.PROTOCOL,
        model="pocket",
        video=v.VideoInfo("clip.mp4", 48, 192, 256, 23.976),
        objects=[
            v.ObjectInfo(1, "left hand", "#0072B2", [(0, 0, "prompted"), (1, 11, "tracked"), (12, 12, "corrected")]),
            v.ObjectInfo(2, "object 2", "#E69F00", [], hidden=True, locked=True, changed=[(3, 7)]),
        ],
        adapters=[v.AdapterInfo(1, 1, [12], [0.5, 0.25], 0.613), v.AdapterInfo(2)],
        standing=[v.Standing(20, 2, painted=False, box=[0.5, 1.0, 90.0, 80.0], first=True)],
        prompts=[v.Prompt(20, 2, 0.5, 191.0, positive=False)],
        palette=[("blue", "#0072B2"), ("orange", "#E69F00")],
        learning=True,
        range=[3, 40],
        active_object=2,
        proposes=True,
        proposes_untaught=False,
        panel=True,
        saved=False,
        can_undo=True,
        can_redo=False,
        n_corrections=1,
        n_accepted=3,
        saved_s=10.5,
        memory=v.MemoryInfo(used=212, most=256, file=1240),
    ),
    v.Frames([0, 1, 41]),
    v.Masks([v.MaskInfo(3, 1, 17, "accepted"), v.MaskInfo(4, 1, 18, "tracked")], [(5, 1), (6, 1)]),
    v.PreviewMask(12, 2, 60.5, 40.0, positive=False),
    v.ConfidenceStrips([1, 2]),
    v.Job(4, "learn", "running", 12, 40, 0.4, "Learning from frame 12"),
    v.ProposalInfo(13, 1, [v.Candidate("adapter", 1, [12]), v.Candidate("frozen close-up", 0, [])]),
    v.Error("the click (300, 5) is outside the frame; x must be from 0 to 255, y from 0 to 191"),
    v.Batch([m.encode(v.Frames([2])), m.encode(v.Error("lost"))], [1, 0]),
]

ALL = [*TO_KERNEL, *TO_VIEW]


def wire(message):
    """What arrives at the other end."""
    return json.loads(json.dumps(m.encode(message)))


def named(messages):
    return {"argvalues": messages, "ids": lambda message: type(message).__name__}


# --- Samples ----------------------------------------------------------------------------------------------------------


def test_there_is_a_sample_of_every_message():
    assert {type(message) for message in TO_KERNEL} == set(get_args(m.ToKernel))
    assert {type(message) for message in TO_VIEW} == set(get_args(v.ToView))


@pytest.mark.parametrize("message", **named(ALL))
def test_the_contract_is_up_to_date(message):
    """Change the protocol on both sides, then write the samples anew: LIT_WRITE_CONTRACT=1."""
    direction = "to_kernel" if message in TO_KERNEL else "to_view"
    text = json.dumps({"direction": direction, "message": wire(message)}, indent=2) + "\n"
    path = CONTRACT / f"{m.encode(message)['type']}.json"
    if "LIT_WRITE_CONTRACT" in os.environ:
        path.write_text(text)
    assert path.read_text() == text


def test_the_contract_holds_nothing_else():
    assert {path.name for path in CONTRACT.iterdir()} == {f"{m.encode(message)['type']}.json" for message in ALL}


@pytest.mark.parametrize("message", **named(ALL))
def test_the_wire_form_has_every_field(message):
    content = wire(message)
    assert list(content) == ["type", *(field.name for field in fields(message))]
    assert content["type"].lower() == type(message).__name__.lower()


@pytest.mark.parametrize("message", **named(TO_KERNEL))
def test_what_a_view_sends_is_what_the_kernel_reads(message):
    assert m.decode(wire(message)) == message


def test_left_out_fields_have_defaults():
    assert m.decode({"type": "track", "start": 4}) == m.Track(4, reverse=False, stop=None)
    assert m.decode({"type": "accept"}) == m.Accept(0)


def test_whole_numbers_are_numbers():
    message = m.decode({"type": "click", "frame": 0, "object": 1, "x": 12, "y": 0, "positive": True})
    assert (message.x, message.y) == (12.0, 0.0)
    assert isinstance(message.x, float)


# --- What is refused --------------------------------------------------------------------------------------------------

WRONG = {
    int: [True, 1.0, "1", None, [1], 2**31, -(2**31), 10**400, float("nan")],
    float: [False, "1", None, [1.0], {}, float("nan"), float("inf"), -float("inf"), 10**400],
    bool: [0, 1, "true", None],
    list[int]: [None, 3, "12", {"0": 1}, [[1]], [1, None], [1.5], [True], [10**400], list(range(MAX_INDICES + 1))],
    int | None: [False, 1.0, "1", 10**400],
    str | None: [False, 1, ["a"], "a" * (MAX_TEXT + 1)],
    bool | None: [0, 1, "true"],
}
CASES = [
    (message, name, value)
    for message in TO_KERNEL
    for name, hint in get_type_hints(type(message)).items()
    for value in WRONG[hint]
]


@pytest.mark.parametrize(
    ("message", "name", "value"),
    CASES,
    ids=lambda part: type(part).__name__ if isinstance(part, get_args(m.ToKernel)) else None,
)
def test_wrong_values_are_refused(message, name, value):
    with pytest.raises(m.MessageError, match=f"{name!r} has the wrong type or value"):
        m.decode({**wire(message), name: value})


@pytest.mark.parametrize("message", **named(TO_KERNEL))
def test_unknown_and_missing_fields_are_refused(message):
    content = wire(message)
    with pytest.raises(m.MessageError, match=r"has unknown fields \['shape'\]"):
        m.decode({**content, "shape": 1})
    for field in fields(message):
        if field.default is MISSING:
            with pytest.raises(m.MessageError, match="lacks a field; expected"):
                m.decode({key: value for key, value in content.items() if key != field.name})


@pytest.mark.parametrize(
    "content",
    [None, 1, "click", [], {}, {"type": None}, {"type": ["click"]}, {"type": "Click"}, {"type": "eval"}],
    ids=repr,
)
def test_what_is_no_message_is_refused(content):
    with pytest.raises(m.MessageError, match=r"expected a message object|unknown message type"):
        m.decode(content)


@pytest.mark.parametrize("message", **named(TO_VIEW))
def test_a_view_cannot_send_the_kernels_messages(message):
    with pytest.raises(m.MessageError, match="unknown message type"):
        m.decode(wire(message))


def test_a_refusal_is_short():
    with pytest.raises(m.MessageError) as refused:
        m.decode({"type": "poll", **{"x" * 1000 + str(i): i for i in range(1000)}})
    assert len(str(refused.value)) < 500
    with pytest.raises(m.MessageError) as refused:
        m.decode({"type": "y" * 100_000})
    assert len(str(refused.value)) < 100


def decodes_or_refuses(content):
    try:
        message = m.decode(content)
    except m.MessageError:
        return
    assert m.decode(wire(message)) == message


SCALARS = st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=5)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(sorted({"type", *(field.name for message in TO_KERNEL for field in fields(message))}))


@given(JUNK)
def test_junk_is_refused(content):
    decodes_or_refuses(content)


@given(st.sampled_from(TO_KERNEL), st.dictionaries(KEYS | SCALARS, JUNK, max_size=3), st.sets(KEYS, max_size=2))
def test_damaged_messages_are_refused(message, replaced, dropped):
    content = {**wire(message), **replaced}
    decodes_or_refuses({key: value for key, value in content.items() if key not in dropped})
