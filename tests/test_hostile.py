"""Damaged files and impossible wishes: one clear sentence, and what was done before is kept."""

import os
import pickle
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass

import av
import numpy as np
import pytest
import torch
from helpers import clip, done, pocket, widget_on
from PIL import Image
from safetensors.torch import save_file

from benchmarks import message_fuzz
from lit_widget import LITWidget, load_model
from lit_widget.simulation.metrics import iou
from lit_widget.video.pocket.architecture import build_pocket

TARGET = clip("union").target
IMAGES = clip("union").frames


def refusal(make):
    """The one sentence with which something is refused."""
    with pytest.raises(ValueError) as refused:
        make()
    sentence = str(refused.value)
    assert sentence
    assert "\n" not in sentence
    assert "Traceback" not in sentence
    assert len(sentence) < 500
    return sentence


# --- Videos -----------------------------------------------------------------------------------------------------------


def video(path, n=12):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(n):
            image = np.random.default_rng(index).integers(0, 255, (48, 64, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


def truncated(folder):
    path = video(folder / "clip.mp4")
    path.write_bytes(path.read_bytes()[:300])
    return path


def changing_sizes(folder):
    for index, size in enumerate([(64, 48), (64, 48), (60, 48)]):
        Image.new("RGB", size).save(folder / f"{index}.png")
    return folder


def text_as_video(folder):
    (folder / "clip.mp4").write_text("no video")
    return folder / "clip.mp4"


VIDEOS = {
    "missing": (lambda folder: folder / "clip.mp4", ["there is no file or folder", "clip.mp4", "give the path of"]),
    "truncated": (truncated, ["clip.mp4 cannot be read as a video", "export the file again"]),
    "text": (text_as_video, ["clip.mp4 cannot be read as a video"]),
    "empty folder": (lambda folder: folder, ["holds no JPEG or PNG images", "give the folder that holds the frames"]),
    "no frames": (lambda _: [], ["there are no frames", "give at least one frame"]),
    "no frames in an array": (lambda _: np.zeros((0, 48, 64, 3), np.uint8), ["there are no frames"]),
    "changing sizes": (changing_sizes, ["60 x 48 pixels but frame 0 is 64 x 48", "must have one size"]),
    "one picture": (lambda _: IMAGES[0], ["(t, h, w, 3) RGB or (t, h, w) grey, got (192, 256, 3) uint8"]),
    "floats": (lambda _: IMAGES / 255, ["must be uint8", "got (8, 192, 256, 3) float64", "(array * 255)"]),
    "nothing": (lambda _: None, ["cannot read frames from a NoneType"]),
    "a web address": (lambda _: "https://example.org/clip.mp4", ["is a web address; download the video"]),
}


@pytest.mark.parametrize("name", VIDEOS)
def test_videos_that_cannot_be_read(tmp_path, name):
    make, parts = VIDEOS[name]
    source = make(tmp_path)
    sentence = refusal(lambda: LITWidget(source, model=pocket()))
    assert all(part in sentence for part in parts), sentence


def test_a_frame_that_breaks_later_keeps_the_work(tmp_path):
    """The header of frame 5 is fine, its pixels are not."""
    for index, image in enumerate(IMAGES):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    path = tmp_path / "5.png"
    path.write_bytes(path.read_bytes()[:2000])
    widget = LITWidget(tmp_path, model=pocket())
    widget.give_mask(0, TARGET[0])
    widget.track()
    sentence = refusal(widget.wait)
    assert "frame 5" in sentence
    assert "damaged" in sentence
    assert [frame for frame in range(8) if widget.mask(frame) is not None] == [0, 1, 2, 3, 4]
    assert iou(widget.mask(0), TARGET[0]) > 0.95
    widget.close()


# --- Models -----------------------------------------------------------------------------------------------------------


@dataclass
class Bomb:
    """A pickle that makes a folder when it is read."""

    path: str

    def __reduce__(self):
        return os.mkdir, (self.path,)


def pickled(folder):
    torch.save({"model": Bomb(str(folder / "executed"))}, folder / "weights.pt")
    return folder / "weights.pt"


def plainly_pickled(folder):
    (folder / "weights.pt").write_bytes(pickle.dumps(Bomb(str(folder / "executed")), protocol=2))
    return folder / "weights.pt"


def cut_short(folder):
    save_file(pocket().module.state_dict(), folder / "weights.safetensors")
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    return path


def flipped_header(folder):
    path = cut_short(folder)
    path.write_bytes(b"\xff" * 16 + path.read_bytes()[16:])
    return path


def holding(value):
    def make(folder):
        torch.save(value, folder / "weights.pt")
        return folder / "weights.pt"

    return make


def of_another_model(folder):
    save_file(build_pocket(hidden_dim=64).state_dict(), folder / "weights.safetensors")
    return folder / "weights.safetensors"


def lacking_a_tensor(folder):
    state = pocket().module.state_dict()
    state.pop("no_mem_embed")
    save_file(state, folder / "weights.safetensors")
    return folder / "weights.safetensors"


UNREADABLE = ["cannot be read as a checkpoint", "expected .safetensors, or a .pt file"]
CHECKPOINTS = {
    "missing": (lambda folder: folder / "weights.pt", ["there is no checkpoint at", "give the path of"]),
    "a folder": (lambda folder: folder, ["there is no checkpoint at"]),
    "malicious pickle": (pickled, UNREADABLE),
    "malicious bare pickle": (plainly_pickled, UNREADABLE),
    "truncated": (cut_short, UNREADABLE),
    "corrupted": (flipped_header, UNREADABLE),
    "a list": (holding([1, 2]), UNREADABLE),
    "no tensors": (holding({"model": {"a": 1}}), UNREADABLE),
    "another architecture": (
        of_another_model,
        ["another architecture than 'pocket'", "tensors differ", "config='FILE.yaml'"],
    ),
    "incomplete": (lacking_a_tensor, ["1 of ", "for example 'no_mem_embed'"]),
    "empty": (holding({}), ["another architecture than 'pocket'"]),
}


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_checkpoints_that_cannot_be_used(tmp_path, name):
    make, parts = CHECKPOINTS[name]
    path = make(tmp_path)
    sentence = refusal(lambda: load_model("pocket", weights=path, device="cpu"))
    assert str(path) in sentence
    assert all(part in sentence for part in parts), sentence
    assert not (tmp_path / "executed").exists()


def test_the_bombs_would_go_off(tmp_path):
    """Otherwise the test above would prove nothing."""
    torch.load(pickled(tmp_path), weights_only=False)
    assert (tmp_path / "executed").exists()


def test_names_that_do_not_exist():
    assert "did you mean pocket?" in refusal(lambda: LITWidget(IMAGES, model="poket"))
    assert "did you mean lit-lora" in refusal(lambda: LITWidget(IMAGES, model=pocket(), strategy="litlora"))


# --- Wishes of an annotator -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def widget():
    """With everything that could be lost: a prompt, a correction, an accepted proposal, an open one and a click."""
    widget, _ = widget_on()
    widget.give_mask(0, TARGET[0])
    widget.track()
    widget.give_mask(3, TARGET[3])
    widget.learn(3)
    widget.flag(5)
    widget.accept()
    widget.click(6, 100.0, 100.0)
    widget.flag(4)
    yield done(widget)
    widget.close()


WISHES = {
    "click outside": (
        lambda w: w.click(0, 256.0, 5.0),
        "the click (256, 5) is outside the frame; x must be from 0 to 255",
    ),
    "click nowhere": (lambda w: w.click(0, float("nan"), 5.0), "outside the frame"),
    "click at infinity": (lambda w: w.click(0, 5.0, float("inf")), "outside the frame"),
    "box inside out": (
        lambda w: w.box(0, 50.0, 50.0, 20.0, 80.0),
        "does not lie in the frame; give (x0, y0, x1, y1) with",
    ),
    "box outside": (lambda w: w.box(0, 0.0, 0.0, 257.0, 80.0), "x1 <= 256 and y0 < y1 <= 192"),
    "no such frame": (lambda w: w.click(8, 5.0, 5.0), "frame 8 does not exist; frames are 0 to 7"),
    "negative frame": (lambda w: w.mask(-1), "frame -1 does not exist"),
    "no such object": (lambda w: w.flag(5, object_id=3), "object 3 does not exist; objects are [1]"),
    "mask of another size": (
        lambda w: w.give_mask(0, TARGET[0][:-1]),
        "the mask has shape (191, 256); expected (height, width) = (192, 256)",
    ),
    "probabilities": (
        lambda w: w.give_mask(0, TARGET[0] * 0.7),
        "dtype float64; expected bool, or 0 and 1",
    ),
    "mask of 255": (
        lambda w: w.give_mask(0, TARGET[0].astype(np.uint8) * 255),
        "use mask > 0",
    ),
    "beyond the end": (lambda w: w.track(0, stop=99), "frame 99 does not exist"),
    "the wrong way": (lambda w: w.track(5, stop=2), "set reverse=True to track there"),
    "nothing to learn": (lambda w: w.learn(7), "no correction of object 1 on frame 7 to learn from; click it first"),
    "flag of a prompt": (lambda w: w.flag(0), "frame 0 holds your own prompt"),
    "ground truth too short": (
        lambda w: w.run_simulation(TARGET[:5]),
        "have shape (5, 192, 256) but the frames need (8,",
    ),
    "ground truth too small": (
        lambda w: w.run_simulation(TARGET[:, ::2]),
        "have shape (8, 96, 256) but the frames need",
    ),
    "ground truth of floats": (lambda w: w.run_simulation(TARGET * 0.5), "must be bool or object ids from 0 up"),
    "simulation of nobody": (lambda w: w.run_simulation(TARGET, strategies="litlora"), "did you mean lit-lora"),
}


@pytest.mark.parametrize("name", WISHES)
def test_impossible_wishes(widget, name):
    wish, part = WISHES[name]
    before = everything(widget)
    assert part in refusal(lambda: (wish(widget), widget.wait()))
    after = everything(widget)
    assert all(np.array_equal(before[key], after[key]) for key in before)


def everything(widget):
    """All that an annotator sees or has taught."""
    return {
        "masks": widget.masks(),
        "proposal": widget.proposal,
        "corrections": widget.corrections,
        "accepted": widget.accepted,
        "version": widget.adapter_version,
        "prompts": [[prompt.frame, prompt.x, prompt.y] for prompt in widget._annotation.state.prompts],
        "undo": len(widget._annotation.session.history._past),
        **widget._annotation.learner.adapters.get(1).snapshot().tensors,
    }


def test_there_was_something_to_lose(widget):
    assert (widget.corrections, widget.accepted, widget.adapter_version) == ([3], [5], 1)
    assert widget.proposal is not None
    assert len(everything(widget)["prompts"]) == 1


ODD_ARGUMENTS = """
import numpy as np
from lit_widget import LITWidget, embedded_clip, run_simulation
frames = np.zeros((2, 32, 32, 3), np.uint8)
for make in (lambda **given: LITWidget(frames, **given), lambda **given: run_simulation("embedded:easy:0", **given)):
    for given in ({"model": 3}, {"seed": "a"}, {"update": 3}, {"quirks": 3}, {"peft_config": 3}):
        try:
            make(**given)
        except ValueError as error:
            print(next(iter(given)), str(error))
"""


@pytest.mark.slow
def test_arguments_of_another_type_are_refused_at_once():
    # In an interpreter of its own, where nothing checks annotations.
    ran = subprocess.run([sys.executable, "-c", ODD_ARGUMENTS], capture_output=True, text=True, check=True)
    said = ran.stdout.splitlines()
    names = ["model", "seed", "update", "quirks", "peft_config"]
    assert [line.split()[0] for line in said] == 2 * names
    for line in said:
        assert re.match(r"(\w+) \1 (is|must be) .*(give|got)", line)


# --- Messages ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_messages_of_strangers(tmp_path):
    """The first few of those that the benchmark sends."""
    counted = Counter(message_fuzz.outcomes(tmp_path, 100, seed=1))
    assert set(counted) == {"works", "refused with a sentence"}, counted
