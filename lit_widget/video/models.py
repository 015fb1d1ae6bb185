"""Models by name: the bundled pocket model, the official SAM 2.1 checkpoints, and local files."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lit_widget.core.update import UpdateConfig

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base
    from torch import Tensor

    from .sam2 import Sam2

POCKET_WEIGHTS = Path(__file__).parent / "pocket" / "pocket.safetensors"


class ModelError(ValueError):
    """A model that cannot be found or does not fit."""


@dataclass(frozen=True)
class ModelEntry:
    """A model that can be loaded by name.

    Attributes:
        name: what users write.
        help: one line.
        build: makes the architecture with random weights.
        weights: finds the file with its weights, downloading it if need be.
        update: how a correction is learned with this model.
    """

    name: str
    help: str
    build: Callable[[], SAM2Base]
    weights: Callable[[], Path]
    update: UpdateConfig = field(default_factory=UpdateConfig)


def _pocket() -> SAM2Base:
    from .pocket.architecture import build_pocket

    return build_pocket()


def _official(config: str) -> Callable[[], SAM2Base]:
    def build() -> SAM2Base:
        from sam2.build_sam import build_sam2

        return build_sam2(config, ckpt_path=None, device="cpu", apply_postprocessing=False)

    return build


def _hub(repository: str, filename: str) -> Callable[[], Path]:
    def find() -> Path:
        from huggingface_hub import hf_hub_download

        try:
            return Path(hf_hub_download(repository, filename))
        except Exception as error:
            raise ModelError(
                f"the weights of {repository} could not be downloaded ({type(error).__name__}); go online, give the "
                f"path of a local checkpoint as `weights=`, or use the bundled model: load_model('pocket')"
            ) from error

    return find


# The paper's learning rate moves the pocket model's small decoder by almost nothing in 40 steps; its own
# was chosen on development seeds by `benchmarks/learning_rate.py` (see the model card).
POCKET_UPDATE = UpdateConfig(learning_rate=2e-3)

_SIZES = {"tiny": "t", "small": "s", "base-plus": "b+", "large": "l"}

MODELS: dict[str, ModelEntry] = {
    "pocket": ModelEntry(
        "pocket",
        "bundled small SAM 2, trained on procedural video; runs anywhere, tracks far worse than the official models",
        _pocket,
        lambda: POCKET_WEIGHTS,
        POCKET_UPDATE,
    )
}
for _size, _short in _SIZES.items():
    _file = _size.replace("-", "_")
    MODELS[f"sam2.1-{_size}"] = ModelEntry(
        f"sam2.1-{_size}",
        f"official SAM 2.1 Hiera {_size}, from the Hugging Face hub",
        _official(f"configs/sam2.1/sam2.1_hiera_{_short}.yaml"),
        _hub(f"facebook/sam2.1-hiera-{_size}", f"sam2.1_hiera_{_file}.pt"),
    )


def models() -> dict[str, str]:
    """Names of the models that can be loaded, each with one line of help."""
    return {name: entry.help for name, entry in MODELS.items()}


def find_entry(name: str) -> ModelEntry:
    """Look a model up by name.

    Raises:
        ModelError: if there is none; near matches are named.
    """
    if name in MODELS:
        return MODELS[name]
    near = difflib.get_close_matches(str(name), MODELS, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise ModelError(f"unknown model {name!r}; {hint}choose from {', '.join(MODELS)}")


def load_model(name: str = "pocket", *, weights: str | Path | None = None, device: str | None = None) -> Sam2:
    """Load a model.

    Args:
        name: one of `models()`.
        weights: a local `.pt` or `.safetensors` checkpoint to use instead of the model's own.
        device: where it runs; CUDA if there is one, else the CPU, by default.

    Raises:
        ModelError: if the name is unknown, or the weights are missing, damaged or of another architecture.
    """
    import torch

    from .sam2 import Sam2

    entry = find_entry(name)
    path = entry.weights() if weights is None else Path(weights).expanduser()
    state = read_weights(path)
    module = entry.build()
    expected = module.state_dict()
    differing = {key for key in expected.keys() | state.keys() if _shape(expected, key) != _shape(state, key)}
    if differing:
        raise ModelError(
            f"{path} holds the weights of another architecture than {name!r}: {len(differing)} of {len(expected)} "
            f"tensors differ, for example {min(differing)!r}; name the model that the checkpoint was made for"
        )
    module.load_state_dict(state)
    module.to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    return Sam2(module, name)


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


def _shape(state: dict[str, Tensor], key: str) -> tuple[int, ...] | None:
    return tuple(state[key].shape) if key in state else None
