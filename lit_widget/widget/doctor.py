"""`lit-widget doctor`: whether a session file is whole, and what this machine has."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("lit-widget", "torch", "sam2", "peft", "anywidget", "ipywidgets", "av", "numpy", "jupyterlab", "ipykernel")
HUB = "https://huggingface.co"
HUB_WITHIN_S = 3.0
CODECS = ("h264", "hevc", "vp9", "av1", "libx264", "libvpx-vp9")


def add_doctor(commands: Any) -> None:
    """Add the command to what `argparse.ArgumentParser.add_subparsers` returned."""
    doctor = commands.add_parser("doctor", help="check a session file, or without one this machine")
    doctor.add_argument("file", nargs="?", metavar="CLIP.lit")
    doctor.add_argument("--repair", action="store_true", help="write what can be read to a new file in its place")
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")
    doctor.set_defaults(run=_doctor)


def _doctor(parsed: argparse.Namespace) -> int:
    if parsed.file is None:
        if parsed.repair:
            raise ValueError("--repair mends a session file; name one")
        return _say(machine(), as_json=parsed.json)
    from .gallery.doctor import examine_labels, repair_labels
    from .gallery.file import is_of_labels
    from .store.doctor import examine, repair

    look, mend = (examine_labels, repair_labels) if is_of_labels(parsed.file) else (examine, repair)
    found = look(parsed.file)
    if found and parsed.repair:
        found = mend(parsed.file)
    if parsed.json:
        print(json.dumps(found))
    else:
        print("\n".join(found) or f"{parsed.file} is whole")
    return int(bool(found) and not parsed.repair)


def _say(facts: dict[str, str], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(facts, indent=1))
    else:
        width = max(map(len, facts))
        print("\n".join(f"{name:<{width}}  {value}" for name, value in facts.items()))
    return int("missing" in facts["torch"] + facts["sam2"] + facts["peft"])


def machine() -> dict[str, str]:
    """Versions, the device that models would run on, whether the hub answers, and codecs."""
    facts = {"python": f"{platform.python_version()} on {sys.platform}"}
    for name in PACKAGES:
        try:
            facts[name] = version(name)
        except PackageNotFoundError:
            facts[name] = "missing"
    facts["device"] = _device()
    facts["hub"] = _hub()
    facts["codecs"] = _codecs()
    return facts


def _device() -> str:
    import torch

    from lit_widget.video.devices import choose_device, choose_precision

    place = choose_device(None)
    name = torch.cuda.get_device_name(place) if torch.device(place).type == "cuda" else ""
    return f"{place} {name} in {choose_precision(None, place)}".replace("  ", " ")


def _hub() -> str:
    from urllib.error import HTTPError
    from urllib.request import urlopen

    try:
        with urlopen(HUB, timeout=HUB_WITHIN_S):
            return "can be reached"
    except HTTPError:
        return "can be reached"
    except OSError:
        return "cannot be reached: official models need a local file (weights=)"


def _codecs() -> str:
    from av.codec import codecs_available

    there = [name for name in CODECS if name in codecs_available]
    gone = [name for name in CODECS if name not in codecs_available]
    return ", ".join(there) + (f"; not {', '.join(gone)}" if gone else "")
