"""Labelled images: data sets as they are published, a folder per class, and embedded look-alikes."""

from lit_widget.images.sources import ImageError, ImageSet, image_set

from .catalogue import DATASETS, Dataset, open_images
from .cub import open_cub
from .embedded import open_embedded
from .folders import open_folders
from .stanford_cars import open_stanford_cars
from .sun397 import open_sun397

__all__ = [
    "DATASETS",
    "Dataset",
    "ImageError",
    "ImageSet",
    "image_set",
    "open_cub",
    "open_embedded",
    "open_folders",
    "open_images",
    "open_stanford_cars",
    "open_sun397",
]
