"""Memory attention on a CPU gives what the package's own module gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from lit_widget.core.shelf import Memo, Shelf
from lit_widget.video import memory_attention
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.attention import attend
from lit_widget.video.frames import open_frames
from lit_widget.video.learner import VideoLearner
from lit_widget.video.memory import FrameRecord, MaskOutput, Recall
from lit_widget.video.memory_attention import CpuMemoryAttention
from lit_widget.video.models import load_model
from lit_widget.video.pocket.architecture import HIDDEN_DIM, MEMORY_DIM, build_pocket
from lit_widget.video.pocket.clips import embedded_clip
from lit_widget.video.propagate import propagate

SIDE = 16


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """For small models too, in blocks so small that there are several of keys and of queries."""
    monkeypatch.setattr(memory_attention, "FEWEST_TOKENS", 0)
    monkeypatch.setattr(memory_attention, "KEYS", 600)
    monkeypatch.setattr(memory_attention, "QUERIES", 100)


def record(module) -> FrameRecord:
    output = MaskOutput(torch.randn(1, 4 * SIDE, 4 * SIDE), torch.randn(HIDDEN_DIM), torch.ones(1), 0.9)
    features = torch.randn(MEMORY_DIM, SIDE, SIDE)
    position = module.memory_encoder.position_encoding(features[None])[0]
    return FrameRecord(output, features.bfloat16(), position, "tracked", conditioning=False)


def recall(module, recent: int, pointers: int) -> Recall:
    records = [record(module) for _ in range(max(recent, pointers) + 1)]
    return Recall((records[0],), tuple(records[1 : recent + 1]), tuple(enumerate(records[:pointers])), 15)


def both(module, recalls: list[Recall]) -> tuple[Tensor, Tensor]:
    """What the package gives, and what ours gives."""
    top = torch.randn(1, HIDDEN_DIM, SIDE, SIDE)
    position = module.image_encoder.neck.position_encoding(top)
    ours = CpuMemoryAttention(module.memory_attention)
    assert ours.takes(top)
    with torch.no_grad():
        given = attend(module, top, position, recalls, ours, begun=Memo())
        with torch.autocast("cpu", torch.bfloat16):
            assert not ours.takes(top)
        package = CpuMemoryAttention(torch.nn.Identity())
        assert not package.takes(top)
        return attend(module, top, position, recalls, package, begun=Memo()), given


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize(("recent", "pointers"), [(6, 7), (6, 1), (2, 3), (0, 1)])
@pytest.mark.parametrize("n_objects", [1, 3])
def test_equal_to_the_package(recent: int, pointers: int, n_objects: int) -> None:
    torch.manual_seed(0)
    module = build_pocket()
    expected, given = both(module, [recall(module, recent, pointers) for _ in range(n_objects)])
    assert given.shape == expected.shape == (n_objects, HIDDEN_DIM, SIDE, SIDE)
    assert float((given - expected).abs().max()) < 2e-5


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("sharpness", [10.0, 100.0])
def test_scores_of_any_size(sharpness: float) -> None:
    torch.manual_seed(1)
    module = build_pocket()
    for layer in module.memory_attention.layers:
        layer.cross_attn_image.q_proj.weight.data.mul_(sharpness)
        layer.cross_attn_image.k_proj.weight.data.mul_(sharpness)
    expected, given = both(module, [recall(module, 6, 7)])
    assert torch.isfinite(given).all()
    # Rounding of the scores themselves grows with them.
    assert float((given - expected).abs().mean()) < 1e-3


@pytest.mark.usefixtures("everywhere")
def test_what_depends_on_the_frame_alone_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    module = build_pocket()
    ours, top = CpuMemoryAttention(module.memory_attention), torch.randn(1, HIDDEN_DIM, SIDE, SIDE)
    position = module.image_encoder.neck.position_encoding(top)
    made, begun = [], Memo(Shelf(1))
    start = ours._start
    monkeypatch.setattr(ours, "_start", lambda *given: made.append(given) or start(*given))
    remembered = [recall(module, 1, 1)]
    with torch.no_grad():
        one, other = (attend(module, top, position, remembered, ours, begun=begun) for _ in range(2))
    assert len(made) == 1
    assert torch.equal(one, other)


def tracked(folder: Path, target: np.ndarray) -> np.ndarray:
    learner = VideoLearner(load_model("pocket", device="cpu"), open_frames(folder))
    learner.prompt(VideoItem(0, 0), learner.from_mask(0, target))
    frames = propagate(learner, [0], 1, len(learner.frames) - 1)
    return np.stack([learner.mask(frame.predictions[0].output) for frame in frames])


def test_equal_masks_over_a_clip(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    from PIL import Image

    clip = embedded_clip("distractor", 3, frames=12)
    for index, frame in enumerate(clip.frames):
        Image.fromarray(frame).save(tmp_path / f"{index:05d}.png")
    expected = tracked(tmp_path, clip.target[0])
    request.getfixturevalue("everywhere")
    given = tracked(tmp_path, clip.target[0])
    assert expected.any(axis=(1, 2)).all()
    for one, other in zip(expected, given, strict=True):
        assert (one & other).sum() / (one | other).sum() >= 0.995
