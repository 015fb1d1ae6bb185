"""Features on disk: computed once, in bounded memory, whatever interrupts it."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lit_widget.images.features import FeatureStore, readable
from lit_widget.images.sources import ArraySource, ImageError, ImageSet, image_set

FILL = """
import sys
from pathlib import Path

from lit_widget.images.features import FeatureStore
from lit_widget.images.sources import image_set
from tests.test_features import Mean

store = FeatureStore(image_set(sorted(Path(sys.argv[1]).glob("*.png")), ["a", "b"]), Mean(pause=0.05), sys.argv[2])
store.fill(batch=2, progress=lambda done, total: print(done, flush=True))
"""


class Mean:
    """Encodes an image by its mean."""

    width, digest = 5, "mean"

    def __init__(self, pause=0.0, digest="mean"):
        self.calls, self.pause, self.digest = [], pause, digest

    def pooled(self, images):
        time.sleep(self.pause)
        self.calls.append(len(images))
        return torch.tensor([[float(image.mean())] * self.width for image in images])


def shades(n):
    return image_set([np.full((2, 2, 3), shade, np.uint8) for shade in range(n)], ["a", "b"])


def test_features_are_computed_once(tmp_path):
    encoder, seen = Mean(), []
    store = FeatureStore(shades(10), encoder, tmp_path)
    assert store.fill(batch=4, progress=lambda *now: seen.append(now))
    assert seen == [(4, 10), (8, 10), (10, 10)]
    assert torch.equal(store[7], torch.full((5,), 7.0))
    again = FeatureStore(shades(10), encoder, tmp_path)
    assert again.complete
    assert again.fill()
    assert encoder.calls == [4, 4, 2]
    assert torch.equal(again[9], torch.full((5,), 9.0))
    for other in (FeatureStore(shades(11), encoder, tmp_path), FeatureStore(shades(10), Mean(digest="x"), tmp_path)):
        assert other.done == 0


def test_a_changed_file_is_another_image(tmp_path):
    Image.new("RGB", (2, 2)).save(tmp_path / "a.png")
    images = image_set([tmp_path / "a.png"], ["a", "b"])
    FeatureStore(images, Mean(), tmp_path / "cache").fill()
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    assert FeatureStore(images, Mean(), tmp_path / "cache").done == 0


def test_cancelling_keeps_what_is_done(tmp_path):
    store = FeatureStore(shades(10), Mean(), tmp_path)
    assert not store.fill(batch=4, cancelled=lambda: store.done >= 4)
    assert store.done == 4
    assert store[3][0] == 3
    with pytest.raises(IndexError, match="the features of image 4 are not computed yet; 4 of 10 are"):
        store[4]
    assert store.fill(batch=4)
    assert store[4][0] == 4
    with pytest.raises(IndexError, match="there is no image 10; images are 0 to 9"):
        store[10]


def test_a_killed_process_is_resumed(tmp_path):
    for shade in range(40):
        Image.new("RGB", (2, 2), (shade, shade, shade)).save(tmp_path / f"{shade:02}.png")
    command = [sys.executable, "-c", FILL, str(tmp_path), str(tmp_path / "cache")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) as process:
        assert [process.stdout.readline() for _ in range(3)][-1] == "6\n"
        process.kill()
    encoder = Mean()
    store = FeatureStore(image_set(sorted(tmp_path.glob("*.png")), ["a", "b"]), encoder, tmp_path / "cache")
    assert 6 <= store.done < 40
    with store._rows.open("ab") as file:
        file.write(b"half a row")
    assert store.fill()
    assert sum(encoder.calls) < 40
    assert [float(store[at][0]) for at in range(40)] == list(range(40))


def test_images_that_cannot_be_read_are_listed_and_left_out(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no image")
    grey = [np.full((2, 2), shade, np.uint8) for shade in (1, 2)]
    images = image_set([grey[0], tmp_path / "bad.png", grey[1]], ["a", "b"], ["a", "b", "b"])
    store = FeatureStore(images, Mean(), tmp_path / "cache")
    store.fill()
    with store._refusals.open("a") as file:
        file.write("\n[2, 'cut o")
    again = FeatureStore(images, Mean(), tmp_path / "cache")
    assert list(again.refused) == [1]
    with pytest.raises(ImageError, match=r"bad.png cannot be read as an image"):
        again[1]
    kept, features = readable(again)
    assert kept.labels == [0, 1]
    assert [float(features[at][0]) for at in range(len(features))] == [1.0, 2.0]


def test_nothing_readable_is_said(tmp_path):
    store = FeatureStore(image_set([tmp_path / "no.png"], ["a", "b"]), Mean(), tmp_path)
    with pytest.raises(ImageError, match="0 of 1 images of images have features; fill the store first"):
        readable(store)
    store.fill()
    with pytest.raises(ImageError, match=r"no image of images could be read: .*no.png cannot be read"):
        readable(store)


class Wide:
    """As wide as ViT-B/32."""

    width, digest = 768, "wide"

    def pooled(self, images):
        return torch.zeros(len(images), self.width) + torch.tensor([float(image[0, 0, 0]) for image in images])[:, None]


def anonymous_mb():
    with Path("/proc/self/status").open() as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon")) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measures memory as Linux tells it")
def test_100_000_images_are_handled_in_bounded_memory(tmp_path):
    source = ArraySource(np.full((1, 1, 3), 3, np.uint8))
    store = FeatureStore(ImageSet("many", [source] * 100_000, ["a", "b"]), Wide(), tmp_path)
    before = anonymous_mb()
    store.fill(batch=1000)
    assert store._rows.stat().st_size == 100_000 * 768 * 4
    assert all(store[image][0] == 3 for image in range(0, 100_000, 97))
    grown = anonymous_mb() - before
    print(f"100,000 images, 307 MB of features: {grown:.1f} MB more memory")
    assert grown < 40
