"""Models by name and by file: the bundled one, local checkpoints, and a hub that cannot be reached."""

import pytest
import torch
from safetensors.torch import save_file

from lit_widget import load_model, models
from lit_widget.video.models import MODELS, POCKET_WEIGHTS, ModelError, find_entry
from lit_widget.video.pocket.architecture import build_pocket


@pytest.fixture(scope="module")
def state():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return build_pocket().state_dict()


def equal(model, state):
    own = model.module.state_dict()
    return own.keys() == state.keys() and all(torch.equal(own[key], state[key]) for key in own)


def test_names_and_help():
    assert list(models()) == ["pocket", *(f"sam2.1-{size}" for size in ("tiny", "small", "base-plus", "large"))]
    assert all(text and "\n" not in text for text in models().values())


def test_the_bundled_model_loads_without_a_download():
    model = load_model("pocket", device="cpu")
    assert POCKET_WEIGHTS.stat().st_size < 12e6
    assert (model.name, model.image_size, model.device.type) == ("pocket", 192, "cpu")
    assert not model.module.training
    assert not any(parameter.requires_grad for parameter in model.module.parameters())
    assert {parameter.dtype for parameter in model.module.parameters()} == {torch.float32}


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


@pytest.mark.slow
def test_an_official_architecture_loads_a_local_checkpoint(tmp_path):
    state = MODELS["sam2.1-tiny"].build().state_dict()
    torch.save({"model": state}, tmp_path / "sam2.1_hiera_tiny.pt")
    model = load_model("sam2.1-tiny", weights=tmp_path / "sam2.1_hiera_tiny.pt", device="cpu")
    assert model.image_size == 1024
    assert equal(model, state)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "pocket"])
def test_without_the_hub_the_way_out_is_named(name):
    sentence = (
        rf"the weights of facebook/sam2\.1-hiera-{name[7:]} could not be downloaded \(\w+\); go online, give the path "
        r"of a local checkpoint as `weights=`, or use the bundled model: load_model\('pocket'\)"
    )
    with pytest.raises(ModelError, match=sentence):
        MODELS[name].weights()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("poket", "did you mean pocket"),
        ("sam2.1-b", r"did you mean sam2\.1"),
        ("large", "sam2.1-large"),
        ("", "choose"),
    ],
)
def test_unknown_names_get_near_matches(name, hint):
    with pytest.raises(ModelError, match=f"unknown model '{name}'.*{hint}"):
        find_entry(name)
