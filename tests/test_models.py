"""Models by name and by file: the bundled one, local checkpoints, and a hub that cannot be reached."""

import inspect
from dataclasses import replace

import huggingface_hub
import pytest
import torch
from helpers import clip, correction
from safetensors.torch import load_file, save_file
from sam2.build_sam import HF_MODEL_ID_TO_FILENAMES

from lit_widget import load_model, models
from lit_widget.core.update import UpdateConfig
from lit_widget.video.adaptation import VideoItem
from lit_widget.video.backbones import official_config
from lit_widget.video.catalogue import ModelError
from lit_widget.video.checkpoints import fingerprint, read_weights
from lit_widget.video.frames import open_frames
from lit_widget.video.learner import VideoLearner
from lit_widget.video.models import MODELS, POCKET_WEIGHTS, find_entry, update_of
from lit_widget.video.pocket.architecture import IMAGE_SIZE, build_pocket
from lit_widget.video.sam2 import Points

SIZES = ("tiny", "small", "base-plus", "large")
OFFICIAL = [f"{family}-{size}" for family in ("sam2.1", "sam2") for size in SIZES]


@pytest.fixture(scope="module")
def state():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return build_pocket().state_dict()


def equal(model, state):
    own = model.module.state_dict()
    return own.keys() == state.keys() and all(torch.equal(own[key], state[key]) for key in own)


# --- What there is ----------------------------------------------------------------------------------------------------


def test_names_options_and_capabilities_have_a_line_each():
    known = models()
    assert list(known) == ["pocket", *OFFICIAL]
    assert set(known.options) == inspect.signature(load_model).parameters.keys() - {"name"}
    for entries in (known, known.options, known.capabilities):
        assert entries
        assert all(text and "\n" not in text for text in entries.values())
    printed = repr(known)
    assert all(f"  {name} " in printed for name in ("sam2-base-plus", "precision", "box"))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("poket", "did you mean pocket"),
        ("sam2.1-b", r"did you mean sam2\.1"),
        ("SAM2-Large", "did you mean sam2-large"),
        ("facebook/sam2-hiera-tiny", "did you mean sam2-tiny"),
        ("large", "sam2.1-large"),
        ("", "choose"),
    ],
)
def test_unknown_names_get_near_matches(name, hint):
    with pytest.raises(ModelError, match=f"unknown model '{name}'.*{hint}"):
        find_entry(name)


def test_how_a_model_learns_follows_its_name():
    assert update_of("pocket") == MODELS["pocket"].update != UpdateConfig()
    assert update_of("sam2-large") == update_of("a model of my own") == UpdateConfig(learning_rate=1e-4)
    assert update_of("pocket", UpdateConfig(epochs=5)) == replace(MODELS["pocket"].update, epochs=5)


# --- The bundled model and local checkpoints --------------------------------------------------------------------------


def test_the_bundled_model_loads_without_a_download():
    model = load_model(device="cpu")
    assert POCKET_WEIGHTS.stat().st_size < 12e6
    assert (model.name, model.image_size, model.device.type) == ("pocket", IMAGE_SIZE, "cpu")
    assert not model.module.training
    assert not any(parameter.requires_grad for parameter in model.module.parameters())
    assert {parameter.dtype for parameter in model.module.parameters()} == {torch.float32}
    assert fingerprint(load_file(POCKET_WEIGHTS)) == MODELS["pocket"].fingerprint


@pytest.mark.parametrize("shape", ["under 'model'", "bare", "safetensors", "half precision"])
def test_local_checkpoints(tmp_path, state, shape):
    path = tmp_path / f"weights.{'safetensors' if shape == 'safetensors' else 'pt'}"
    if shape == "safetensors":
        save_file(state, path)
    elif shape == "half precision":
        state = {key: tensor.half() for key, tensor in state.items()}
        torch.save({"model": state}, path)
        state = {key: tensor.float() for key, tensor in state.items()}
    else:
        torch.save(state if shape == "bare" else {"model": state}, path)
    assert equal(load_model("pocket", weights=path, device="cpu"), state)
    assert equal(load_model(weights=str(path), device="cpu"), state)


def test_another_architecture_is_recognised():
    sentence = (
        r"pocket\.safetensors holds the weights of another architecture than 'sam2\.1-tiny': this looks like pocket; "
        r"use load_model\('pocket', weights='.*pocket\.safetensors'\)"
    )
    with pytest.raises(ModelError, match=sentence):
        load_model("sam2.1-tiny", weights=POCKET_WEIGHTS, device="cpu")


def test_weights_of_the_transformers_library_are_recognised(tmp_path):
    save_file({"vision_encoder.backbone.pos_embed": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match=r"names are those of the transformers library; take the original \.pt file"):
        load_model("pocket", weights=tmp_path / "model.safetensors", device="cpu")


# --- The official models ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OFFICIAL)
def test_repositories_and_files_are_those_of_the_sam2_package(name, monkeypatch):
    asked = []

    def download(repository, filename):
        asked.append((repository, filename))
        return filename

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    MODELS[name].weights()
    family, size = name.split("-", 1)
    config, filename = HF_MODEL_ID_TO_FILENAMES[f"facebook/{family}-hiera-{size}"]
    assert asked == [(f"facebook/{family}-hiera-{size}", filename)]
    short = config.removesuffix(".yaml").rpartition("_")[2]
    assert str(official_config(family, short)).endswith(config)


@pytest.mark.parametrize("name", OFFICIAL)
def test_without_the_hub_the_ways_out_are_named(name):
    family, size = name.split("-", 1)
    with pytest.raises(ModelError) as refused:
        MODELS[name].weights()
    problem = f"the weights of facebook/{family}-hiera-{size} could not be fetched from the Hugging Face hub ("
    path = f"PATH/TO/{family}_hiera_{size.replace('-', '_')}.pt"
    assert str(refused.value).startswith(problem)
    assert str(refused.value).endswith(f"; use load_model({name!r}, weights={path!r}) or load_model('pocket')")
    assert refused.value.for_command_line.startswith(problem)
    assert refused.value.for_command_line.endswith(f"; use --model {name} --weights {path} or --model pocket")


@pytest.mark.slow
@pytest.mark.parametrize("name", OFFICIAL)
def test_official_checkpoints(name, tmp_path, monkeypatch):
    """With random weights; only the download itself is replaced."""
    state = MODELS[name].build().state_dict()
    path = tmp_path / "weights.pt"
    torch.save({"model": state}, path)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *_: str(path))
    model = load_model(name, device="cpu")
    assert (model.name, model.image_size) == (name, 1024)
    assert equal(model, state)
    path.unlink()
    save_file(state, tmp_path / "weights.safetensors")
    read = read_weights(tmp_path / "weights.safetensors")
    assert read.keys() == state.keys()
    assert all(torch.equal(read[key], state[key]) for key in state)
    with pytest.raises(ModelError, match=rf"this looks like {name}; use load_model\('{name}', weights="):
        load_model("pocket", weights=tmp_path / "weights.safetensors", device="cpu")
    # The encoder takes any size; a sixteenth of the pixels keeps this test short.
    model.module.image_size = 256
    features = model.encode(clip().frames[0])
    assert features.top.shape == (1, 256, 16, 16)
    assert torch.isfinite(features.top).all()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "side"), [("sam2.1-tiny", 1024), ("sam2-tiny", 512)])
def test_an_official_architecture_tracks_and_learns(name, side, tmp_path):
    """At its own input size and, by a changed configuration, at half of it."""
    path = tmp_path / "weights.safetensors"
    save_file(MODELS[name].build().state_dict(), path)
    config = tmp_path / "resized.yaml"
    official = official_config(name.removesuffix("-tiny"), "t").read_text()
    config.write_text(official.replace("image_size: 1024", f"image_size: {side}"))
    made = clip(frames=3)
    model = load_model(name, weights=path, device="cpu", config=config)
    assert (model.name, model.image_size) == (name, side)
    learner = VideoLearner(model, open_frames(made.frames), update=UpdateConfig(epochs=2))
    learner.prompt(VideoItem(0, 1), learner.segment(VideoItem(0, 1), Points(((100.0, 80.0),), (1,))))
    prediction = learner.predict_one(VideoItem(1, 1))
    assert learner.mask(prediction.output).shape == made.target[1].shape
    report = learner.learn_one(prediction, correction(learner, prediction.item, made.target[1]))
    assert (report.version, len(report.losses), report.rolled_back) == (1, 2, False)
    assert learner.adapters.get(1).n_parameters == 35_328
    assert learner.propose_one(prediction) is not None
