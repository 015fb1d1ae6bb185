"""Images and their classes: what is read, and what is said where something is missing or wrong."""

import re
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from lit_widget.images.class_names import checked_names
from lit_widget.images.datasets import ImageError, image_set, open_images
from lit_widget.images.datasets.embedded import embedded_images
from lit_widget.images.pocket.pictures import LOOKS


def save(path, shade=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (6, 5), (shade, 0, 0)).save(path)


def write(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def cub(root):
    names = ["001.Black_footed_Albatross/a.jpg", "001.Black_footed_Albatross/b.jpg", "002.Laysan_Albatross/c.jpg"]
    for shade, name in enumerate(names):
        save(root / "images" / name, 10 * shade)
    write(root / "images.txt", *(f"{at} {name}" for at, name in enumerate(names, 1)))
    write(root / "classes.txt", "1 001.Black_footed_Albatross", "2 002.Laysan_Albatross")
    write(root / "image_class_labels.txt", "1 1", "2 1", "3 2")
    write(root / "train_test_split.txt", "1 1", "2 0", "3 0")
    return root


def cars(root):
    for at in (1, 2, 3):
        save(root / "cars_test" / f"0000{at}.jpg")
    (root / "devkit").mkdir()
    names = np.array(["AM General Hummer SUV 2000", "Acura RL Sedan 2012"], dtype=object)
    savemat(root / "devkit" / "cars_meta.mat", {"class_names": names})
    fields = [("bbox_x1", "O"), ("class", "O"), ("fname", "O")]
    rows = np.array([(1, 2, "00001.jpg"), (1, 1, "00002.jpg"), (1, 2, "00003.jpg")], dtype=fields)
    savemat(root / "cars_test_annos_withlabels.mat", {"annotations": rows})
    return root


def sun(root):
    paths = ["/a/abbey/sun_a.jpg", "/a/apartment_building/outdoor/sun_b.jpg", "/a/abbey/sun_c.jpg"]
    for path in paths:
        save(root / path.lstrip("/"))
    write(root / "ClassName.txt", "/a/abbey", "/a/apartment_building/outdoor")
    write(root / "Partitions" / "Testing_01.txt", *paths[:2])
    write(root / "Partitions" / "Training_02.txt", paths[2])
    return root


def test_cub_is_read_as_published(tmp_path):
    images = open_images(f"cub:{cub(tmp_path)}")
    assert images.class_names == ("Black footed Albatross", "Laysan Albatross")
    assert images.labels == [0, 1]
    assert images.read(1).shape == (5, 6, 3)
    assert len(open_images(f"cub/train:{tmp_path}")) == 1


def test_stanford_cars_are_read_as_published(tmp_path):
    images = open_images(f"cars:{cars(tmp_path)}")
    assert images.class_names == ("AM General Hummer SUV 2000", "Acura RL Sedan 2012")
    assert images.labels == [1, 0, 1]
    assert images.sources[2].path.name == "00003.jpg"


def test_sun397_is_read_as_published(tmp_path):
    images = open_images(f"sun397:{sun(tmp_path)}")
    assert images.class_names == ("abbey", "apartment building outdoor")
    assert images.labels == [0, 1]
    assert open_images(f"sun397/train_02:{tmp_path}").labels == [0]


def test_a_folder_per_class(tmp_path):
    for name in ("red_fox/1.png", "red_fox/deeper/2.png", "wolf/3.png"):
        save(tmp_path / name)
    write(tmp_path / "wolf" / "notes.txt", "not an image")
    images = open_images(str(tmp_path))
    assert images.class_names == ("red fox", "wolf")
    assert images.labels == [0, 0, 1]


@pytest.mark.parametrize(
    ("make", "name", "broken", "said"),
    [
        (cub, "cub", "classes.txt", "there is no .*classes.txt; CUB-200-2011 is a folder with images/"),
        (cub, "cub", "images/002.Laysan_Albatross/c.jpg", "1 of 2 images are missing, the first is .*c.jpg; CUB"),
        (
            cars,
            "cars",
            "devkit/cars_meta.mat",
            "there is no .*cars_meta.mat; Stanford Cars is a folder with cars_test/",
        ),
        (sun, "sun397", "Partitions/Testing_01.txt", "there is no .*Testing_01.txt; SUN397 is a folder with a/abbey/"),
    ],
)
def test_a_wrong_tree_says_what_is_missing(tmp_path, make, name, broken, said):
    (make(tmp_path) / broken).unlink()
    with pytest.raises(ImageError, match=said):
        open_images(f"{name}:{tmp_path}")


def test_damaged_lists_are_named_with_their_line(tmp_path):
    root = cub(tmp_path / "cub")
    write(root / "image_class_labels.txt", "1 1", "2 9", "3 2")
    with pytest.raises(ImageError, match=r"image 2 of .*images.txt has no class of classes.txt"):
        open_images(f"cub:{root}")
    write(root / "images.txt", "1 a.jpg", "1 b.jpg")
    with pytest.raises(ImageError, match=r"line 2 of .*images.txt is '1 b.jpg'; expected a number of its own"):
        open_images(f"cub:{root}")
    root = sun(tmp_path / "sun")
    write(root / "Partitions" / "Testing_01.txt", "/z/zoo/x.jpg")
    with pytest.raises(ImageError, match=r"z/zoo/x.jpg of Testing_01.txt is in no class"):
        open_images(f"sun397:{root}")
    (cars(tmp_path / "cars") / "cars_test_annos_withlabels.mat").write_bytes(b"no matrix")
    with pytest.raises(ImageError, match="holds no annotations"):
        open_images(f"cars:{tmp_path / 'cars'}")


def test_folders_that_are_no_classes_are_named(tmp_path):
    save(tmp_path / "fox" / "1.png")
    with pytest.raises(ImageError, match="holds 1 folders; expected one folder per class"):
        open_images(str(tmp_path))
    (tmp_path / "wolf").mkdir()
    with pytest.raises(ImageError, match="wolf holds no images"):
        open_images(str(tmp_path))
    save(tmp_path / "loose.png")
    with pytest.raises(ImageError, match=r"loose.png lies beside the classes"):
        open_images(str(tmp_path))
    for spec, said in (
        ("cup:there", "did you mean cub"),
        (str(tmp_path / "no"), "there is no"),
        ("embedded:x", "embedded:0"),
    ):
        with pytest.raises(ImageError, match=said):
            open_images(spec)


def test_images_of_ones_own(tmp_path):
    save(tmp_path / "a.png", 7)
    grey = np.full((3, 4), 9, np.uint8)
    images = image_set([tmp_path / "a.png", grey], ["fox", "wolf"], ["wolf", 0])
    assert images.labels == [1, 0]
    assert images.read(0)[0, 0].tolist() == [7, 0, 0]
    assert images.read(1).shape == (3, 4, 3)
    assert images.only([1]).labels == [0]
    assert image_set(np.zeros((2, 4, 4, 3), np.uint8), ["fox", "wolf"]).labels is None
    assert image_set([grey], ["fox", "wolf"], [1]).empty_classes == ["fox"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (([], ["a", "b"], []), "holds no images"),
        (([1, 2], ["a", "b"], ["a"]), "has 2 images but 1 labels"),
        (([1, 2], ["a", "b"], ["a", "c"]), "the label 'c' is none of the 2 classes (1 such images)"),
        (([1, 2], ["a", "b"], [0, 2]), "image 1 has the label 2, and labels are 0 to 1"),
        (([1], ["a"], [0]), "classes must be at least two"),
        (([1], ["a", " A "], [0]), "classes 0 and 1 are called 'a' and 'A', too alike"),
        (([1], ["a", " "], [0]), "class 1 has an empty name"),
    ],
)
def test_what_does_not_fit_is_said(given, said):
    images, names, labels = given
    with pytest.raises(ValueError, match=re.escape(said)):
        image_set([np.zeros((2, 2, 3), np.uint8)] * len(images), names, labels)


def test_names_are_trimmed():
    assert checked_names([" red fox", "wolf"]) == ["red fox", "wolf"]


def test_what_is_no_image_is_refused_when_read(tmp_path):
    write(tmp_path / "a.jpg", "no image")
    images = image_set([tmp_path / "a.jpg", np.zeros((2, 2, 4), np.uint8), tmp_path / "b.jpg"], ["fox", "wolf"])
    for at, said in enumerate(["a.jpg cannot be read as an image", r"got uint8 \(2, 2, 4\)", "b.jpg cannot be read"]):
        with pytest.raises(ImageError, match=said):
            images.read(at)


def test_embedded_images_are_the_same_each_time_and_held_out():
    images, again, other = embedded_images(3), open_images("embedded:3"), embedded_images(4)
    assert len(images) == 960
    assert images.labels == again.labels
    assert all(np.array_equal(images.read(at), again.read(at)) for at in range(0, 960, 97))
    assert images.class_names != other.class_names
    held_out = {look.name for look in LOOKS if look.held_out}
    assert held_out > set(images.class_names)
    assert set(Counter(images.labels).values()) == {20}
