"""Models by name: the bundled pocket model, the official SAM 2 and 2.1 checkpoints, and local files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lit_widget.core.names import unknown
from lit_widget.core.update import UpdateConfig

from .backbones import build_backbone, official_config
from .catalogue import CAPABILITIES, OPTIONS, Catalogue, ModelError
from .checkpoints import Fingerprint, read_weights, require_fit

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base

    from .sam2 import Sam2

POCKET_WEIGHTS = Path(__file__).parent / "pocket" / "pocket.safetensors"


@dataclass(frozen=True)
class ModelEntry:
    """A model that can be loaded.

    Attributes:
        name: what users write.
        help: one line.
        build: makes the architecture with random weights.
        weights: finds the file with its weights, downloading it if need be.
        fingerprint: by which a checkpoint is recognised as this model's, `None` if it is not known.
        update: how a correction is learned with this model.
    """

    name: str
    help: str
    build: Callable[[], SAM2Base]
    weights: Callable[[], Path]
    fingerprint: Fingerprint | None
    update: UpdateConfig = field(default_factory=UpdateConfig)


# --- The bundled model ------------------------------------------------------------------------------------------------

# The paper's learning rate moves the pocket model's small decoder by almost nothing in 40 steps; its own
# was chosen on development seeds by `benchmarks/learning_rate.py` (see the model card).
POCKET_UPDATE = UpdateConfig(learning_rate=1e-3, threads=1)


def _build_pocket() -> SAM2Base:
    from .pocket.architecture import build_pocket

    return build_pocket()


POCKET = ModelEntry(
    "pocket",
    "bundled small SAM 2, trained on procedural video; runs anywhere, tracks far worse than the official models",
    _build_pocket,
    lambda: POCKET_WEIGHTS,
    Fingerprint(width=32, depth=7, channels=128, marks_absence=True),
    POCKET_UPDATE,
)

# --- The official models ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Size:
    """A size of the official models: its short name in configurations, and what tells it from the others."""

    short: str
    width: int
    depth: int
    millions: int


_SIZES = {
    "tiny": _Size("t", 96, 12, 39),
    "small": _Size("s", 96, 16, 46),
    "base-plus": _Size("b+", 112, 24, 81),
    "large": _Size("l", 144, 48, 224),
}


def _official(family: str, size: str) -> ModelEntry:
    name, own = f"{family}-{size}", _SIZES[size]
    return ModelEntry(
        name,
        f"official SAM {family[3:]}, Hiera {size}: {own.millions} million parameters, from the Hugging Face hub",
        lambda: build_backbone(official_config(family, own.short)),
        partial(_from_hub, name, f"facebook/{family}-hiera-{size}", f"{family}_hiera_{size.replace('-', '_')}.pt"),
        Fingerprint(own.width, own.depth, channels=256, marks_absence=family == "sam2.1"),
    )


def _from_hub(name: str, repository: str, filename: str) -> Path:
    """The file in the hub's local cache, downloaded with the hub's own progress bar if it is not there yet."""
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(repository, filename))
    except Exception as error:
        raise ModelError(
            f"the weights of {repository} could not be fetched from the Hugging Face hub ({type(error).__name__}: is "
            f"this machine online?)",
            {"model": name, "weights": f"PATH/TO/{filename}"},
            {"model": "pocket"},
        ) from error


# --- All of them ------------------------------------------------------------------------------------------------------

MODELS: dict[str, ModelEntry] = {
    entry.name: entry
    for entry in (POCKET, *(_official(family, size) for family in ("sam2.1", "sam2") for size in _SIZES))
}
"""Every model that has a name."""


def models() -> Catalogue:
    """What can be loaded: names, options and capabilities, each with one line of help.

    Returns:
        A mapping from the models' names to their help, with the options and capabilities as attributes.

    Example:
        ```python
        models()  # names, with a line on each
        models().options
        ```
    """
    return Catalogue({name: entry.help for name, entry in MODELS.items()}, OPTIONS, CAPABILITIES)


def find_entry(name: str | None = None, config: str | Path | None = None) -> ModelEntry:
    """Look a model up.

    Args:
        name: one of `models()`; without it the pocket model, or with `config` one that has no weights of its own.
        config: a configuration file whose architecture replaces the model's own.

    Raises:
        ModelError: if there is no model of that name; near matches are named.
    """
    if config is None:
        return _named(POCKET.name if name is None else name)
    path = Path(config).expanduser()
    build = partial(build_backbone, path)
    if name is None:
        return ModelEntry(path.stem, f"the architecture of {path}", build, partial(_no_weights, path), None)
    return replace(_named(name), build=build)


def _named(name: str) -> ModelEntry:
    if name in MODELS:
        return MODELS[name]
    raise ModelError(unknown("model", name, MODELS))


def _no_weights(config: Path) -> Path:
    raise ModelError(
        f"{config} describes an architecture without weights",
        {"config": str(config), "weights": "PATH"},
    )


def update_of(name: str, given: UpdateConfig | None = None) -> UpdateConfig:
    """How a correction is learned with a model; the paper's setting for one that has no name here.

    Args:
        name: of the model.
        given: what the user set; the rest is the model's own.
    """
    own = MODELS[name].update if name in MODELS else UpdateConfig()
    return (given or own).over(own)


def load_model(
    name: str | None = None,
    *,
    weights: str | Path | None = None,
    device: str | None = None,
    precision: str | None = None,
    config: str | Path | None = None,
) -> Sam2:
    """Load a model.

    Args:
        name: one of `models()`; the pocket model by default.
        weights: a local `.pt` or `.safetensors` checkpoint to use instead of the model's own.
        device: "cpu", "cuda", "cuda:1", "mps"; "auto", the default, takes CUDA if there is one, else MPS, else the CPU.
        precision: of tracking, "float32" or "bfloat16"; "auto", the default, is bfloat16 on CUDA devices that compute
            in it, else float32. Updates are in float32 always.
        config: a local YAML file of a SAM 2-compatible architecture, in the form of the sam2 package's own. Without
            `name` it needs `weights` too, and the model is called like the file.

    Returns:
        The model, on its device.

    Raises:
        ModelError: if the name, device or precision is unknown or not available, the weights or the configuration
            are missing, damaged or of another architecture, or memory does not suffice.

    Example:
        ```python
        model = load_model("pocket", device="cpu")
        w = LITWidget("clip.mp4", model=model)
        ```
    """
    from .devices import choose_device, choose_precision, explained
    from .sam2 import Sam2

    entry = find_entry(name, config)
    place = choose_device(device)
    tracking = choose_precision(precision, place)
    path = entry.weights() if weights is None else Path(weights).expanduser()
    with explained(entry.name, place):
        state = read_weights(path)
        module = entry.build()
        known = {each.name: each.fingerprint for each in MODELS.values() if each.fingerprint}
        require_fit(state, module.state_dict(), path=path, name=entry.name, known=known)
        module.load_state_dict(state)
        return Sam2(module.to(place), entry.name, precision=tracking)
