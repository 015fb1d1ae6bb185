"""How good masks are, by the rules of the benchmarks, and how sure a mean is."""

from .boundary import boundary_f
from .davis import DavisScores, Statistics, davis_mean, davis_object
from .intervals import Interval, bootstrap_interval, reduction_interval
from .lvos import LvosGroup, LvosObject, LvosScores, lvos_frames, lvos_mean, lvos_object
from .mosev2 import Mosev2Scores, mosev2_mean, mosev2_object
from .region import iou
from .sav import sav_object
from .sequence import Scores, j_and_f, sequence_scores
from .vost import VostScores, vost_mean, vost_object

__all__ = [
    "DavisScores",
    "Interval",
    "LvosGroup",
    "LvosObject",
    "LvosScores",
    "Mosev2Scores",
    "Scores",
    "Statistics",
    "VostScores",
    "bootstrap_interval",
    "boundary_f",
    "davis_mean",
    "davis_object",
    "iou",
    "j_and_f",
    "lvos_frames",
    "lvos_mean",
    "lvos_object",
    "mosev2_mean",
    "mosev2_object",
    "reduction_interval",
    "sav_object",
    "sequence_scores",
    "vost_mean",
    "vost_object",
]
