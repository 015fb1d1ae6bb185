"""DAVIS: `Annotations/480p/<video>/00000.png`, object ids in a palette."""

from .layout import Layout, holds_masks
from .losses import BEHIND, FPS, NAMES, OVERLAPS

DAVIS = Layout(resolution="480p").format(
    "davis",
    "DAVIS 2017: PNG files with object ids in a palette; reads any folder of such files",
    (NAMES, OVERLAPS, FPS, BEHIND),
    holds_masks,
)
