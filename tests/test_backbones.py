"""Architectures from configuration files, and files that try more than to describe one."""

import pytest
import torch
from helpers import clip
from omegaconf import OmegaConf
from safetensors.torch import save_file
from sam2.build_sam import build_sam2

from lit_widget import load_model
from lit_widget.video.backbones import build_backbone, official_config
from lit_widget.video.catalogue import ModelError
from lit_widget.video.models import find_entry

TINY = official_config("sam2.1", "t")


def changed(folder, **changes):
    """SAM 2.1 tiny's configuration with some values replaced, by dotted name under `model`."""
    config = OmegaConf.load(TINY)
    for name, value in changes.items():
        OmegaConf.update(config, f"model.{name}", value, force_add=True)
    path = folder / "mine.yaml"
    OmegaConf.save(config, path)
    return path


def small(folder):
    """An architecture that is none of the known ones."""
    trunk = {"embed_dim": 32, "stages": [1, 1, 2, 1], "global_att_blocks": [3]}
    names = {f"image_encoder.trunk.{name}": value for name, value in trunk.items()}
    channels = {"image_encoder.neck.backbone_channel_list": [256, 128, 64, 32]}
    return changed(folder, image_size=128, **{"memory_attention.num_layers": 1}, **names, **channels)


def test_official_files_give_what_the_package_builds():
    ours = build_backbone(TINY)
    theirs = build_sam2("configs/sam2.1/sam2.1_hiera_t.yaml", device="cpu", apply_postprocessing=False)
    assert repr(ours) == repr(theirs)
    assert not ours.training
    ours.load_state_dict(theirs.state_dict())


def test_another_architecture_by_its_file(tmp_path):
    config = small(tmp_path)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_file(build_backbone(config).state_dict(), tmp_path / "mine.safetensors")
    model = load_model(config=config, weights=tmp_path / "mine.safetensors", device="cpu")
    assert (model.name, model.image_size) == ("mine", 128)
    assert model.encode(clip().frames[0]).top.shape == (1, 256, 8, 8)
    with pytest.raises(ModelError, match=r"than 'pocket', and than every model that has a name: .*config='FILE\.yaml'"):
        load_model(weights=tmp_path / "mine.safetensors", device="cpu")
    with pytest.raises(ModelError, match=r"describes an architecture without weights; use config='.*', weights='PATH'"):
        load_model(config=config, device="cpu")


def test_a_name_and_a_file_give_the_model_another_architecture(tmp_path):
    entry = find_entry("sam2.1-tiny", changed(tmp_path, image_size=512))
    assert entry.name == "sam2.1-tiny"
    assert entry.build().image_size == 512
    with pytest.raises(ModelError, match="unknown model 'mine'"):
        find_entry("mine", tmp_path / "mine.yaml")


@pytest.mark.parametrize(
    "target",
    [
        "os.mkdir",
        "torch.nn.Linear",
        "sam2.build_sam.os.system",
        "sam2.build_sam.torch.nn.Identity",
        "sam2.build_sam.build_sam2_hf",
        "sam2.modeling.backbones.hieradet.g_pathmgr",
        "sam2.nothing.Such",
        "sam2x.Model",
        ["sam2.modeling.sam2_base.SAM2Base"],
    ],
)
@pytest.mark.parametrize("place", ["_target_", "image_encoder.trunk._target_", "sam_mask_decoder_extra_args"])
def test_only_modules_of_the_package_are_built(tmp_path, target, place):
    value = target if place.endswith("_target_") else {"deep": [{"_target_": target, "path": "executed"}]}
    with pytest.raises(ModelError, match=r"mine\.yaml names the _target_ .*; only modules of the sam2 package"):
        build_backbone(changed(tmp_path, **{place: value}))


def test_the_bomb_would_go_off(tmp_path):
    """Otherwise the test above would prove nothing: Hydra calls whatever it finds under such a name."""
    from hydra.utils import instantiate

    instantiate({"_target_": "sam2.build_sam.os.mkdir", "path": str(tmp_path / "executed")})
    assert (tmp_path / "executed").is_dir()


def test_a_target_cannot_hide_behind_an_interpolation(tmp_path):
    path = changed(tmp_path, **{"image_encoder.trunk._target_": "${elsewhere}"})
    path.write_text(path.read_text() + "elsewhere: os.system\n")
    with pytest.raises(ModelError, match=r"names the _target_ 'os\.system'"):
        build_backbone(path)


def written(text):
    def make(folder):
        (folder / "mine.yaml").write_text(text)
        return folder / "mine.yaml"

    return make


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: folder / "mine.yaml", "there is no configuration file at"),
        (lambda folder: folder, "there is no configuration file at"),
        (written("model: [1"), "cannot be read as a configuration"),
        (written("a sentence"), "has no section `model`"),
        (written("model: !!python/object/apply:os.getcwd []"), "cannot be read as a configuration"),
        (written("model:\n  image_size: ${nowhere}"), "cannot be read as a configuration"),
        (written(""), "has no section `model`"),
        (written("trainer:\n  model: {}"), "has no section `model`"),
        (written("model:\n  image_size: 1024"), "its `model` must have the _target_ sam2.modeling.sam2_base.SAM2Base"),
        (
            written("model:\n  _target_: sam2.modeling.position_encoding.PositionEmbeddingSine\n  num_pos_feats: 64"),
            "describes a PositionEmbeddingSine",
        ),
        (lambda folder: changed(folder, samurai_mode=True), "unexpected keyword argument 'samurai_mode'"),
        (lambda folder: changed(folder, **{"image_encoder.trunk.weights_path": "x.pt"}), "remove that line"),
    ],
)
def test_files_that_describe_no_model(tmp_path, make, reason):
    path = make(tmp_path)
    with pytest.raises(ModelError) as refused:
        build_backbone(path)
    assert str(path) in str(refused.value)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)
