"""Finding the masks of one video in a folder of many."""

from __future__ import annotations

from pathlib import Path

from .mask_set import FormatError


def sequence_folder(path: Path) -> Path:
    """The folder that holds the mask files of the only sequence at or below `path`.

    Raises:
        FormatError: if there is none, or if there are several to choose from.
    """
    if not path.is_dir():
        raise FormatError(f"{path} is no folder; give the folder of the masks")
    places = (path / "Annotations" / "480p", path / "Annotations", path)
    here = next((each for each in places if each.is_dir()), path)
    if any(here.glob("*.png")):
        return here
    found = sorted(each for each in here.iterdir() if each.is_dir() and any(each.glob("*.png")))
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(each.name for each in found[:5])
        raise FormatError(f"{here} holds {len(found)} sequences ({names}…); give the folder of one of them")
    raise FormatError(f"{path} holds no PNG masks; expected Annotations/<video>/*.png or the files themselves")
