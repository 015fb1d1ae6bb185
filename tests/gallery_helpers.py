"""What tests of the gallery share: a small CLIP of random weights, images drawn by a rule, and a widget on them."""

from functools import cache

import numpy as np
import torch
from PIL import Image, ImageDraw

from lit_widget.images.head import Head
from lit_widget.widget.gallery.widget import LITClassifier

CLASSES = ["red circle", "red square", "green circle", "green square", "blue circle", "blue square"]
COLOURS = {"red": (200, 60, 50), "green": (60, 150, 70), "blue": (60, 90, 190)}
SIDE = 96


class TinyClip:
    """Transformers' own CLIP, narrow and untrained; its texts are random directions."""

    name = "tiny"

    def __init__(self, delay_s=0.0):
        from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

        with torch.random.fork_rng():
            torch.manual_seed(0)
            config = CLIPVisionConfig(
                hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, image_size=32,
                patch_size=8, projection_dim=16,
            )  # fmt: skip
            self.model = CLIPVisionModelWithProjection(config).eval().requires_grad_(False)
        self.delay_s = delay_s

    def pooled(self, images):
        import time

        time.sleep(self.delay_s)
        pixels = [np.asarray(Image.fromarray(each).resize((32, 32)), np.float32) / 127.5 - 1 for each in images]
        batch = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2)
        return self.model.vision_model(batch).pooler_output

    def head(self, class_names):
        with torch.random.fork_rng():
            torch.manual_seed(1)
            return Head(self.model.visual_projection.weight, torch.randn(len(class_names), 16))


@cache
def tiny():
    return TinyClip()


def drawn(label, seed=0):
    """An image of a class: its shape in its colour, somewhere."""
    colour, shape = CLASSES[label].split()
    random = np.random.default_rng([label, seed])
    image = Image.new("RGB", (SIDE, SIDE), tuple(random.integers(190, 235, 3).tolist()))
    size = int(random.integers(26, 56))
    x, y = random.integers(6, SIDE - size - 6, 2).tolist()
    draw = ImageDraw.Draw(image)
    (draw.ellipse if shape == "circle" else draw.rectangle)((x, y, x + size, y + size), fill=COLOURS[colour])
    return image


def truth(n):
    """The classes of a set of images."""
    return np.random.default_rng(3).integers(0, len(CLASSES), n).tolist()


def folder_of(path, n=12):
    """A folder with images."""
    path.mkdir(exist_ok=True)
    for index, label in enumerate(truth(n)):
        drawn(label, index).save(path / f"{index:04d}.png")
    return path


def arrays(n=12):
    """Images as arrays."""
    return [np.asarray(drawn(label, index)) for index, label in enumerate(truth(n))]


def gallery_on(images=None, classes=CLASSES, *, n=12, **options):
    """A widget on images, all of which were looked at."""
    widget = LITClassifier(arrays(n) if images is None else images, classes, **{"model": tiny(), **options})
    assert widget.wait(30)
    return widget
