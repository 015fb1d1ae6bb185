"""VOST: `Annotations/<video>/frame00012.png`, object ids in a palette."""

from .layout import Layout, holds_masks
from .losses import BEHIND, FPS, NAMES, OVERLAPS
from .numbering import Naming

VOST = Layout(naming=Naming(prefix="frame")).format(
    "vost",
    "VOST: like DAVIS, without a folder for the resolution and with names like frame00012",
    (NAMES, OVERLAPS, FPS, BEHIND),
    lambda path: holds_masks(path, "frame*.png"),
)
