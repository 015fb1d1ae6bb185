"""CLIP: the bundled model, what is said where there is none, and adapters in its vision tower."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.nn.functional import cosine_similarity, normalize
from transformers import CLIPVisionConfig, CLIPVisionModel

from lit_widget.core.adapter import Adapter
from lit_widget.core.recipes import Lora
from lit_widget.images.clip import POCKET_FOLDER, VIT_B_32, Clip, ClipError
from lit_widget.images.datasets.embedded import embedded_images
from lit_widget.images.head import RANK
from lit_widget.images.learner import ImageItem, ImageLearner, corrected
from lit_widget.images.pocket.architecture import vocabulary
from lit_widget.images.pocket.pictures import LOOKS, picture
from lit_widget.images.pocket.train import batch
from lit_widget.images.sources import ArraySource, ImageSet
from lit_widget.images.tower import ATTENTION, Pixels, Tower

MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def clip():
    return Clip.load()


def pictures(looks, seed=0):
    return [picture(look, np.random.default_rng([seed, at])) for at, look in enumerate(looks)]


def test_the_bundled_model_is_small_and_knows_every_word():
    assert sum(path.stat().st_size for path in POCKET_FOLDER.iterdir()) < 15 * MEBIBYTE
    assert not [path for path in POCKET_FOLDER.iterdir() if path.suffix not in {".json", ".safetensors"}]
    known = set(vocabulary())
    assert all(word in known for look in LOOKS for word in look.name.split())
    assert all(word in known for word in ("a", "photo", "of"))


def test_it_tells_what_it_was_trained_on(clip):
    looks = LOOKS[5::120]
    head = clip.head([look.name for look in looks])
    scores = head(clip.pooled(pictures(looks)))
    assert (scores.argmax(1) == torch.arange(len(looks))).float().mean() > 0.7


def test_held_out_look_alikes_in_a_strange_style_are_confused(clip):
    images = embedded_images(0, per_class=4)
    scores = clip.head(images.class_names)(clip.pooled([images.read(at) for at in range(len(images))]))
    right = (scores.topk(3).indices == torch.tensor(images.labels)[:, None]).any(1).float().mean()
    assert 0.2 < right < 0.9


def test_scores_are_those_of_transformers(clip):
    looks, texts = LOOKS[:3], ["a photo of a red star", "a photo of a pair of blue plain rings"]
    tokens = clip._tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = clip.model(
            input_ids=tokens["input_ids"],
            attention_mask=tokens["attention_mask"],
            pixel_values=clip.pixels(pictures(looks)),
        ).logits_per_image
    head = clip.head(["red star", "pair of blue plain rings"])
    assert torch.allclose(head(clip.pooled(pictures(looks))), expected, atol=1e-3)


def test_templates_are_averaged(clip):
    names, templates = ["red star", "blue ring"], ["a photo of a {}", "this is a {}"]
    mean = sum(clip.embed_texts([template.format(name) for name in names]) for template in templates)
    assert torch.allclose(clip.head(names, templates).classes, normalize(mean, dim=-1), atol=1e-6)
    assert clip.head(names, templates[0]).classes.shape == (2, 96)
    for wrong in ("a photo", []):
        with pytest.raises(ValueError, match=r"a template is a text with \{\}"):
            clip.head(names, wrong)
    with pytest.raises(ValueError, match="too alike"):
        clip.head(["red star", "Red  star"])


def test_sizes_and_numbers_of_images(clip):
    pooled = clip.pooled([np.zeros((300, 20, 3), np.uint8), np.zeros((4, 4, 3), np.uint8)])
    assert pooled.shape == (2, clip.width)
    assert clip.pooled([]).shape == (0, clip.width)
    many = clip.embed_texts([f"a {word}" for word in vocabulary() * 6])
    assert torch.allclose(many.norm(dim=1), torch.ones(len(many)))
    assert cosine_similarity(many[:1], clip.embed_texts([f"a {vocabulary()[0]}"]))[0] > 0.999
    with pytest.raises(ValueError, match="no text to embed"):
        clip.embed_texts([])


def test_a_model_in_a_folder_is_loaded_without_pickle(tmp_path, clip):
    copy = tmp_path / "mine"
    shutil.copytree(POCKET_FOLDER, copy)
    assert Clip.load(copy).digest == clip.digest
    weights = (copy / "model.safetensors").rename(copy / "model.bin")
    torch.save({"a": torch.zeros(1)}, copy / "pytorch_model.bin")
    with pytest.raises(ClipError, match=r"mine cannot be loaded as a CLIP .*it needs config.json, model.safetensors"):
        Clip.load(copy)
    weights.rename(copy / "model.safetensors")
    tensors = load_file(copy / "model.safetensors")
    del tensors["visual_projection.weight"]
    save_file(tensors, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(ClipError, match=r"1 of its tensors are missing, for example 'visual_projection.weight'"):
        Clip.load(copy)
    (copy / "config.json").write_text("{")
    with pytest.raises(ClipError, match="mine cannot be loaded"):
        Clip.load(copy)


def test_a_model_that_cannot_be_fetched_names_the_bundled_one(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ClipError, match=r"is this machine online.*use 'pocket', which is bundled"):
        Clip.load("nobody/has-this-model")
    assert VIT_B_32 == "openai/clip-vit-base-patch32"


def test_training_pictures_leave_out_what_is_held_out():
    looks, captions, images = batch(np.random.default_rng(0))
    assert not any(look.held_out for look in looks)
    assert all(look.name in caption for look, caption in zip(looks, captions, strict=True))
    assert images[0].shape == (40, 40, 3)
    half = len(looks) // 2
    differing = [
        sum(a != b for a, b in zip(*pair, strict=True)) for pair in zip(looks[:half], looks[half:], strict=True)
    ]
    assert set(differing) == {1}


def test_attention_placement_has_the_papers_size():
    with torch.device("meta"):
        tower = CLIPVisionModel(CLIPVisionConfig(hidden_size=768, num_hidden_layers=12, num_attention_heads=12))
        adapter = Adapter(tower, Lora(RANK, 8.0, 0.1, ATTENTION.layers), seed=0)
    assert adapter.n_parameters == 442_368


def test_an_adapter_in_the_tower_learns(clip):
    images = embedded_images(0, per_class=2)
    tower = Tower(clip, clip.head(images.class_names))
    learner = ImageLearner(tower, Pixels(clip, images), recipe=ATTENTION.recipe())
    prediction = learner.predict_one(ImageItem(0, 0))
    assert torch.allclose(
        prediction.output.scores, clip.head(images.class_names)(clip.pooled([images.read(0)]))[0], atol=1e-3
    )
    wrong = (images.labels[0] + 1) % len(images.class_names)
    report = learner.learn_one(prediction, corrected(prediction.item, wrong, len(images.class_names)))
    assert report.losses[-1] < report.losses[0]
    assert learner.propose_one(prediction).output.top(1) == [wrong]
    assert learner.adapters.get(0).n_parameters == 3 * 3 * RANK * 2 * clip.width
    assert torch.equal(learner.predict_one(ImageItem(0, 0)).output.scores, prediction.output.scores)


def test_pixels_stand_in_for_features(clip, tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    images = ImageSet("one", [ArraySource(np.zeros((5, 5, 3), np.uint8))], ["a", "b"])
    pixels = Pixels(clip, images)
    assert len(pixels) == 1
    assert pixels[0].shape == (3, 40, 40)
