"""Stanford Cars: 196 models of cars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lit_widget.images.sources import ImageError, ImageSet

from .layout import files, require

LAYOUT = (
    "Stanford Cars is a folder with cars_test/<image>.jpg, cars_test_annos_withlabels.mat (for training cars_train/ "
    "and devkit/cars_train_annos.mat) and devkit/cars_meta.mat"
)
ANNOTATIONS = {"test": "cars_test_annos_withlabels.mat", "train": "cars_train_annos.mat"}


def open_stanford_cars(root: str | Path, split: str = "test") -> ImageSet:
    """Open Stanford Cars.

    Args:
        root: the folder with `cars_test` and `devkit`.
        split: "test" (8,041 images) or "train".

    Raises:
        ImageError: if something is missing; the message says what, and what was expected.
    """
    folder = require(Path(root).expanduser(), LAYOUT)
    if split not in ANNOTATIONS:
        raise ImageError(f"Stanford Cars has the splits train and test, got {split!r}")
    names = [str(name) for name in _table(folder / "devkit" / "cars_meta.mat", "class_names")]
    beside = folder / ANNOTATIONS[split]
    annotations = _table(beside if beside.exists() else folder / "devkit" / beside.name, "annotations")
    if "class" not in (annotations.dtype.names or ()):
        raise ImageError(f"the annotations of the {split} split hold no classes; {LAYOUT}")
    return ImageSet(
        f"Stanford Cars {split}",
        files([folder / f"cars_{split}" / str(each["fname"]) for each in annotations], LAYOUT),
        names,
        [int(each["class"]) - 1 for each in annotations],
    )


def _table(path: Path, name: str) -> Any:
    """A variable of a MATLAB file, as a flat array."""
    from scipy.io import loadmat

    try:
        return np.atleast_1d(loadmat(require(path, LAYOUT), squeeze_me=True)[name])
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(f"{path} holds no {name} ({type(error).__name__}); {LAYOUT}") from error
