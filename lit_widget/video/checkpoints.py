"""Checkpoints: read without running code, recognised by a few telling tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .catalogue import ModelError

if TYPE_CHECKING:
    from torch import Tensor


class Fingerprint(NamedTuple):
    """What tells architectures apart, without building any.

    Attributes:
        width: channels of the image encoder's first stage.
        depth: blocks of the image encoder.
        channels: of the features that the mask decoder sees.
        marks_absence: whether memory marks frames without the object, which SAM 2.1 added.
    """

    width: int
    depth: int
    channels: int
    marks_absence: bool


def fingerprint(state: Mapping[str, Tensor]) -> Fingerprint | None:
    """The fingerprint of a SAM 2 model's weights, or `None` if they are of something else."""
    trunk = "image_encoder.trunk."
    try:
        width = state[f"{trunk}patch_embed.proj.weight"].shape[0]
        channels = state["sam_mask_decoder.iou_token.weight"].shape[1]
    except (KeyError, IndexError):
        return None
    blocks = {key.split(".")[3] for key in state if key.startswith(f"{trunk}blocks.")}
    return Fingerprint(width, len(blocks), channels, "no_obj_embed_spatial" in state)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a checkpoint in float32 without running any code it may contain.

    Raises:
        ModelError: if the file is missing or is not a checkpoint.
    """
    import torch
    from safetensors.torch import load_file

    if not path.is_file():
        raise ModelError(f"there is no checkpoint at {path}; give the path of a .pt or .safetensors file")
    try:
        if path.suffix == ".safetensors":
            state = load_file(path)
        else:
            loaded = torch.load(path, map_location="cpu", weights_only=True)
            state = loaded.get("model", loaded)
        return {key: tensor.float() for key, tensor in state.items()}
    except Exception as error:
        raise ModelError(
            f"{path} cannot be read as a checkpoint ({type(error).__name__}); expected .safetensors, or a .pt file "
            f"with a dictionary of tensors under 'model'"
        ) from error


def require_fit(
    state: Mapping[str, Tensor],
    expected: Mapping[str, Tensor],
    *,
    path: Path,
    name: str,
    known: Mapping[str, Fingerprint],
) -> None:
    """Refuse weights that are not exactly those of a model, and say whose they are.

    Args:
        state: the weights that were read.
        expected: the model's own.
        path: where they were read, for the message.
        name: of the model that was asked for.
        known: fingerprints of the models that can be loaded by name.

    Raises:
        ModelError: unless names and shapes of all tensors agree.
    """
    differing = {key for key in expected.keys() | state.keys() if _shape(expected, key) != _shape(state, key)}
    if not differing:
        return
    found = fingerprint(state)
    count = f"{len(differing)} of {len(expected)} tensors differ, for example {min(differing)!r}"
    if found is not None and found == fingerprint(expected):
        raise ModelError(f"{path} does not fit {name!r}: {count}; the file is incomplete, or of a changed model")
    other = f"{path} holds the weights of another architecture than {name!r}"
    for candidate, own in known.items():
        if found == own:
            raise ModelError(f"{other}: this looks like {candidate}", {"model": candidate, "weights": str(path)})
    if any(key.startswith("vision_encoder.") for key in state):
        raise ModelError(f"{other}: its names are those of the transformers library; take the original .pt file")
    raise ModelError(
        f"{other}, and than every model that has a name: {count}",
        {"weights": str(path), "config": "FILE.yaml"},
    )


def _shape(state: Mapping[str, Tensor], key: str) -> tuple[int, ...] | None:
    return tuple(state[key].shape) if key in state else None
