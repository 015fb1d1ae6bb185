"""Videos with ground truth: data sets as they are published, folders like theirs, arrays, and embedded clips."""

from .arrays import sequence_from_arrays, sequence_from_masks
from .catalogue import DATASETS, Dataset, absolute_source, open_sources
from .davis import open_davis, open_davis_2016, open_davis_2017
from .lvos import FrameRange, lvos_ranges, open_lvos
from .masks import open_masks
from .mosev2 import mosev1_videos, open_mosev2
from .names import data_set, require_different, source_labels
from .sav import open_sav
from .sequence import VOID, DatasetError, FrameTruth, Judged, Sequence
from .vost import open_vost
from .youtube import open_youtube_vos

__all__ = [
    "DATASETS",
    "VOID",
    "Dataset",
    "DatasetError",
    "FrameRange",
    "FrameTruth",
    "Judged",
    "Sequence",
    "absolute_source",
    "data_set",
    "lvos_ranges",
    "mosev1_videos",
    "open_davis",
    "open_davis_2016",
    "open_davis_2017",
    "open_lvos",
    "open_masks",
    "open_mosev2",
    "open_sav",
    "open_sources",
    "open_vost",
    "open_youtube_vos",
    "require_different",
    "sequence_from_arrays",
    "sequence_from_masks",
    "source_labels",
]
