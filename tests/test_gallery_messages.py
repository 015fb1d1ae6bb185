"""Every message of the gallery at the border: samples that both languages read."""

import json
import os
from dataclasses import MISSING, fields
from pathlib import Path
from typing import get_args

import pytest

from lit_widget.widget import messages as shared
from lit_widget.widget.gallery import messages as m
from lit_widget.widget.gallery import to_view as v
from lit_widget.widget.wire import MessageError, encode

CONTRACT = Path(__file__).parent / "contract_gallery"

TO_KERNEL = [
    shared.Hello(m.PROTOCOL),
    shared.Poll(),
    m.RequestPictures([0, 7], large=True),
    m.Label(7, 2),
    m.Skip(7),
    m.SetFlag(7, on=True),
    m.Show(7),
    m.ShowGroup(2),
    m.Unlearn(7),
    m.Look(),
    shared.Cancel(),
    shared.Undo(),
    shared.Redo(),
    shared.SetLearning(on=False),
]

TO_VIEW = [
    v.GalleryState(
        protocol=m.PROTOCOL,
        model="pocket",
        title="birds",
        n_images=40,
        image=7,
        group=2,
        place=1,
        tiles=[
            v.Tile(3, "a/3.jpg", "corrected", 1, flagged=False),
            v.Tile(7, "a/<b>7</b>.jpg", "open", -1, flagged=True),
        ],
        groups=[v.Group(2, 25, 1, 1), v.Group(0, 15, 0, 0)],
        adapter=v.GroupAdapter(1, [3], [1], [0.5, 0.25], 0.013),
        top=3,
        learning=True,
        n_confirmed=4,
        n_accepted=3,
        n_corrected=1,
        n_skipped=0,
        n_flagged=1,
        can_undo=True,
        can_redo=False,
    ),
    v.Classes(["wren", "robin", "<b>tit</b>"]),
    v.Cards(
        [
            v.Card(7, 2, 1, 2, 1, [v.Guess(1, 12.5, 80.0, known=True), v.Guess(2, 70.0, 15.5, known=False)]),
            v.Card(8, 2, 0, 2, -1, []),
        ]
    ),
    v.LookReport("running", 20, 40, 1, 3.5, ["a/9.jpg cannot be read as an image"]),
    v.PictureBytes([3, 7], large=False),
    v.Job(4, "learn", "running", 0, 0, 0.0, "Learning that image 7 is robin"),
    v.Error("there is no image 40; images are 0 to 39"),
    v.Batch([encode(v.PictureBytes([2], large=True)), encode(v.Error("lost"))], [1, 0]),
]

ALL = [*TO_KERNEL, *TO_VIEW]


def wire(message):
    return json.loads(json.dumps(encode(message)))


def named(messages):
    return {"argvalues": messages, "ids": lambda message: type(message).__name__}


def test_there_is_a_sample_of_every_message():
    assert {type(message) for message in TO_KERNEL} == set(get_args(m.FromGallery))
    assert {type(message) for message in TO_VIEW} == set(get_args(v.ToGallery))


@pytest.mark.parametrize("message", **named(ALL))
def test_the_contract_is_up_to_date(message):
    """Change the protocol on both sides, then write the samples anew: LIT_WRITE_CONTRACT=1."""
    direction = "to_kernel" if message in TO_KERNEL else "to_view"
    text = json.dumps({"direction": direction, "message": wire(message)}, indent=2) + "\n"
    path = CONTRACT / f"{encode(message)['type']}.json"
    if "LIT_WRITE_CONTRACT" in os.environ:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text


def test_the_contract_holds_nothing_else():
    assert {path.name for path in CONTRACT.iterdir()} == {f"{encode(message)['type']}.json" for message in ALL}


@pytest.mark.parametrize("message", **named(TO_KERNEL))
def test_what_a_view_sends_is_what_the_kernel_reads(message):
    assert m.decode(wire(message)) == message
    with pytest.raises(MessageError, match=r"has unknown fields \['shape'\]"):
        m.decode({**wire(message), "shape": 1})
    for field in fields(message):
        with pytest.raises(MessageError, match="has the wrong type or value"):
            m.decode({**wire(message), field.name: None})
        if field.default is MISSING:
            with pytest.raises(MessageError, match="lacks a field; expected"):
                m.decode({key: value for key, value in wire(message).items() if key != field.name})


@pytest.mark.parametrize("message", [*TO_VIEW, shared.Track(0)], ids=lambda message: type(message).__name__)
def test_the_kernels_and_the_videos_messages_are_refused(message):
    with pytest.raises(MessageError, match="unknown message type"):
        m.decode(wire(message))
