"""VOST: `Annotations/<video>/frame00012.png`, object ids in a palette."""

from .layout import Layout, holds_masks
from .numbering import Naming
from .palette import LOSES

VOST = Layout(naming=Naming(prefix="frame")).format(
    "vost",
    "VOST: like DAVIS, without a folder for the resolution and with names like frame00012",
    f"names of objects; {LOSES}; frames behind the last mask",
    lambda path: holds_masks(path, "frame*.png"),
)
