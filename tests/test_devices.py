"""Where models run and how precisely, and what is said where they cannot."""

import numpy as np
import pytest
import torch
from helpers import QUICK, clip, correction, pocket
from torch import nn

from lit_widget import load_model
from lit_widget.simulation.metrics import iou
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.catalogue import ModelError
from lit_widget.video.devices import choose_device, choose_precision, explained
from lit_widget.video.frames import open_frames
from lit_widget.video.learner import VideoLearner

CPU = torch.device("cpu")
PROMPT, ERROR = VideoItem(0, 1), VideoItem(4, 1)


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def learner_of(model):
    learner = VideoLearner(model, open_frames(clip().frames), update=QUICK)
    learner.prompt(PROMPT, learner.from_mask(0, clip().target[0]))
    return learner


def tracked(model):
    """Masks of all frames after the first, from the first one's true mask."""
    learner, masks = learner_of(model), []
    for frame in range(1, len(clip().frames)):
        prediction = learner.predict_one(VideoItem(frame, 1))
        learner.settle_one(prediction.item, prediction.output)
        masks.append(learner.mask(prediction.output))
    return masks


def dtypes_of_an_update(model):
    """Of everything that goes through a layer of the adapted decoder, and of what was trained."""
    learner, seen = learner_of(model), set()
    adapter = learner.adapters.get(1)
    for layer in adapter.module.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.LayerNorm)):
            layer.register_forward_hook(lambda _, given, out: seen.update((given[0].dtype, out.dtype)))
    prediction = learner.predict_one(ERROR)
    report = learner.learn_one(prediction, correction(learner, ERROR, clip().target[4]))
    assert report.losses[-1] < report.losses[0]
    return seen | {parameter.dtype for parameter in adapter.parameters.values()}


# --- Choosing ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_gpu")
def test_the_best_device_that_is_there(monkeypatch):
    assert choose_device() == choose_device("auto") == choose_device("cpu") == CPU
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device() == choose_device("mps") == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device() == torch.device("cuda")
    assert choose_device("cuda:1") == torch.device("cuda", 1)


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ("cuda", "there is no device 'cuda': of CUDA devices that torch "),
        ("cuda:1", "can use, this machine has none; use device='auto'"),
        ("mps", "there is no device 'mps': of MPS devices that torch "),
        ("gpu", "unknown device 'gpu'; choose from auto, cpu, cuda, cuda:N or mps"),
        ("meta", "unknown device 'meta'"),
        ("", "unknown device ''"),
    ],
)
def test_devices_that_are_not_there(wish, reason):
    with pytest.raises(ModelError) as refused:
        load_model("pocket", device=wish)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("capability", "precision"), [((7, 5), "float32"), ((8, 0), "bfloat16"), ((9, 0), "bfloat16")])
def test_bfloat16_where_a_gpu_computes_in_it(monkeypatch, capability, precision):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert choose_precision(None, torch.device("cuda")) == precision
    assert choose_precision("float32", torch.device("cuda")) == "float32"
    assert choose_precision("auto", torch.device("mps")) == choose_precision(None, CPU) == "float32"


def test_unknown_precision():
    with pytest.raises(ModelError, match="unknown precision 'fp16'; choose from auto, float32, bfloat16"):
        load_model("pocket", device="cpu", precision="fp16")


# --- Computing --------------------------------------------------------------------------------------------------------


def test_tracking_in_bfloat16_on_the_cpu():
    low = load_model("pocket", device="cpu", precision="bfloat16")
    seen = set()
    low.module.image_encoder.trunk.blocks[0].mlp.register_forward_hook(lambda *call: seen.add(call[-1].dtype))
    pairs = list(zip(tracked(low), tracked(pocket()), strict=True))
    assert seen == {torch.bfloat16}
    assert np.mean([iou(*pair) for pair in pairs]) > 0.95
    assert not all(np.array_equal(*pair) for pair in pairs)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_updates_are_in_float32(precision):
    assert dtypes_of_an_update(load_model("pocket", device="cpu", precision=precision)) == {torch.float32}


def test_float32_ignores_autocast_around_it():
    features = pocket().encode(clip().frames[0])
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(pocket().encode(clip().frames[0]).top, features.top)


@pytest.mark.gpu
def test_tracking_and_learning_on_a_gpu():
    model = load_model("pocket", device="cuda")
    assert model.precision == choose_precision(None, model.device)
    pairs = zip(tracked(model), tracked(pocket()), strict=True)
    assert np.mean([iou(*pair) for pair in pairs]) > 0.95
    assert dtypes_of_an_update(model) == {torch.float32}


# --- What a device cannot -------------------------------------------------------------------------------------------


def refusal(name, device, work):
    with pytest.raises(ModelError) as refused, explained(name, torch.device(device)):
        work()
    assert "\n" not in str(refused.value)
    return refused.value


def raising(error):
    def work():
        raise error

    return work


def test_full_memory():
    error = refusal("sam2-large", "cpu", lambda: torch.empty(2**60, dtype=torch.uint8))
    assert str(error).startswith("cpu ran out of memory with sam2-large; free some, choose a smaller model")
    full = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 1 has ...")
    error = refusal("sam2-large", "cuda:1", raising(full))
    assert str(error).startswith("cuda:1 ran out of memory with sam2-large")
    assert str(error).endswith("; use device='cpu'")
    assert error.for_command_line.endswith("; use --device cpu")


@pytest.mark.gpu
def test_full_memory_of_a_gpu():
    error = refusal("sam2-large", "cuda", lambda: torch.empty(2**45, dtype=torch.uint8, device="cuda"))
    assert str(error).startswith("cuda ran out of memory with sam2-large")


@pytest.mark.parametrize(
    "error",
    [
        NotImplementedError("The operator 'aten::some' is not currently implemented for the MPS device. If\nyou"),
        RuntimeError("CUDA error: no kernel image is available for execution on the device\nCUDA kernel errors"),
    ],
)
def test_unsupported_operations(error):
    sentence = str(refusal("pocket", "mps", raising(error)))
    assert sentence.startswith("mps lacks an operation of pocket in torch ")
    assert sentence.endswith("; use device='cpu'")


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="the size of tensor a"), explained("pocket", CPU):
        raise RuntimeError("the size of tensor a must match")
