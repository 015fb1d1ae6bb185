"""DAVIS: `Annotations/480p/<video>/00000.png`, object ids in a palette."""

from .layout import Layout, holds_masks
from .palette import LOSES

DAVIS = Layout(resolution="480p").format(
    "davis",
    "DAVIS 2017: PNG files with object ids in a palette; reads any folder of such files",
    f"names of objects; {LOSES}; frames behind the last mask",
    holds_masks,
)
