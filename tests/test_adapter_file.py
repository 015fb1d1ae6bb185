"""Adapters in files: what was learned on one video begins the next, and no file can do harm."""

import json
import shutil

import pytest
import torch
from helpers import clip, done, learner_on, pocket, widget_on
from safetensors.torch import save_file

from lit_widget.core.adapter_file import FORMAT, AdapterFileError, load_adapter
from lit_widget.core.peft_layout import load_peft
from lit_widget.core.recipes import share_structure

TARGET = clip("union").target


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A file with an adapter that learned two corrections, and its weights."""
    widget, _ = widget_on()
    widget.give_mask(0, TARGET[0])
    widget.track(0)
    for frame in (3, 5):
        widget.give_mask(frame, TARGET[frame])
        widget.learn(frame)
    done(widget)
    path = widget.save_adapter(tmp_path_factory.mktemp("adapter") / "learned.safetensors")
    tensors = widget._annotation.learner.adapters.trained(1).snapshot().tensors
    widget.close()
    return path, tensors


def tracked(**options):
    widget, _ = widget_on(**options)
    widget.give_mask(0, TARGET[0])
    widget.track(0)
    return done(widget)


def test_an_adapter_begins_the_next_video(saved):
    path, tensors = saved
    widget = tracked()
    widget.flag(4)
    assert done(widget).proposal is None
    widget.load_adapter(path)
    widget.flag(4)
    assert done(widget).proposal is not None
    assert widget.adapter_version == 2
    own = widget._annotation.learner.adapters.trained(1).snapshot()
    assert own.learned_from == ()
    assert all(torch.equal(own.tensors[name], tensor) for name, tensor in tensors.items())
    widget.reject()
    widget.give_mask(6, TARGET[6])
    widget.learn(6)
    assert done(widget).adapter_version == 3
    for _ in range(3):
        widget.undo()
    assert done(widget).adapter_version == 0


def test_an_adapter_of_another_kind_is_refused_and_nothing_is_lost(saved):
    widget = tracked(strategy="memory-adapter")
    before = widget.masks()
    widget.load_adapter(saved[0])
    with pytest.raises(ValueError, match="saved with another model or strategy than pocket and memory-adapter"):
        done(widget)
    assert (widget.masks() == before).all()
    assert widget.adapter_version == 0
    widget.undo()
    assert not done(widget).masks()[1:].any(), "the refused file left a step to undo before the tracking"


def test_a_strategy_that_asks_no_adapter_refuses_one(saved):
    widget = tracked(strategy="original")
    widget.load_adapter(saved[0])
    with pytest.raises(ValueError, match="the strategy original asks no adapter; open the widget with lit-lora"):
        done(widget)


def test_nothing_learned_is_nothing_to_save(tmp_path):
    widget = tracked()
    with pytest.raises(ValueError, match="has learned nothing yet; correct a frame first"):
        widget.save_adapter(tmp_path / "empty.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["missing", "empty", "noise", "truncated", "plain", "version", "nan"])
def test_files_that_hold_no_adapter(kind, saved, tmp_path):
    path, weights = tmp_path / "file.safetensors", {"a": torch.zeros(2)}
    whole = saved[0].read_bytes()
    if kind in ("empty", "noise", "truncated"):
        path.write_bytes({"empty": b"", "noise": b"\xff" * 999, "truncated": whole[: len(whole) // 2]}[kind])
    elif kind == "plain":
        save_file(weights, path)
    elif kind == "version":
        save_file(weights, path, metadata={"format": FORMAT, "version": "-3"})
    elif kind == "nan":
        save_file({"a": torch.full((2,), torch.nan)}, path, metadata={"format": FORMAT, "version": "1"})
    with pytest.raises(AdapterFileError, match=r"there is no|cannot be read|holds no adapter|not finite"):
        load_adapter(path)


@pytest.fixture(scope="module")
def peft_folder(saved, tmp_path_factory):
    """The same adapter in peft's layout."""
    widget, _ = widget_on()
    widget.load_adapter(saved[0])
    folder = done(widget).save_adapter(tmp_path_factory.mktemp("peft") / "learned", format="peft")
    with pytest.raises(ValueError, match="is there already"):
        widget.save_adapter(folder, format="peft")
    with pytest.raises(ValueError, match="not 'pickle'"):
        widget.save_adapter(folder, format="pickle")
    widget.close()
    assert sorted(path.name for path in folder.parent.iterdir()) == ["learned"]
    return folder


def test_peft_reads_an_adapter_and_means_the_same_by_it(saved, peft_folder):
    from peft import PeftModel

    adapter = learner_on().adapters.get(1)
    adapter.restore(load_adapter(saved[0]))
    theirs = PeftModel.from_pretrained(share_structure(pocket().decoder), peft_folder)
    own = {name: tensor for name, tensor in theirs.base_model.model.state_dict().items() if ".lora_" in name}
    assert own.keys() == saved[1].keys()
    assert all(torch.equal(own[name], tensor) for name, tensor in saved[1].items())
    layer = "transformer.layers.0.self_attn.q_proj"
    x = torch.randn(3, theirs.base_model.model.get_submodule(layer).in_features)
    with torch.no_grad():
        mine, other = (each.get_submodule(layer)(x) for each in (adapter.module, theirs.base_model.model))
    assert torch.allclose(mine, other, atol=1e-6)


def test_what_peft_wrote_is_loaded(saved, peft_folder, tmp_path):
    from peft import PeftModel

    theirs = PeftModel.from_pretrained(share_structure(pocket().decoder), peft_folder)
    theirs.save_pretrained(tmp_path / "theirs")
    widget, _ = widget_on()
    widget.load_adapter(tmp_path / "theirs")
    own = done(widget)._annotation.learner.adapters.trained(1).snapshot()
    assert all(torch.equal(own.tensors[name], tensor) for name, tensor in saved[1].items())
    widget.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [({"lora_alpha": 8}, "another kind or scale"), ({"use_dora": True}, "another kind"), ({"peft_type": 1}, "no LoRA")],
)
def test_an_adapter_of_peft_that_means_something_else_is_refused(peft_folder, tmp_path, change, said):
    folder = shutil.copytree(peft_folder, tmp_path / "odd")
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | change))
    with pytest.raises(AdapterFileError, match=said):
        load_peft(folder)
    (folder / "adapter_config.json").write_text("{")
    with pytest.raises(AdapterFileError, match="cannot be read"):
        load_peft(folder)
