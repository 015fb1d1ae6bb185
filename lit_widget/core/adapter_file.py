"""An adapter in a file: what was learned on one video, to begin the next one with (safetensors, never pickle)."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from .types import AdapterState

FORMAT = "lit-widget adapter 1"


class AdapterFileError(ValueError):
    """A file that cannot be used as an adapter; the sentence says why."""


def save_adapter(state: AdapterState, path: str | Path) -> Path:
    """Write an adapter's weights and how often it was trained, all or nothing.

    Args:
        state: of a trained adapter.
        path: the file to write; an existing one is replaced.
    """
    from safetensors.torch import save_file

    target = Path(path)
    partial = target.with_name(target.name + ".partial")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.tensors.items()}
    save_file(tensors, partial, metadata={"format": FORMAT, "version": str(state.version)})
    return partial.replace(target)


def load_adapter(path: str | Path) -> AdapterState:
    """Read what `save_adapter` wrote; items of the video it was learned on are not part of it.

    Raises:
        AdapterFileError: if there is no such file, or it holds no adapter.
    """
    source = Path(path)
    tensors, metadata = read_tensors(source)
    if metadata.get("format") != FORMAT:
        raise AdapterFileError(f"{source} holds no adapter in the format {FORMAT!r}; save_adapter writes them")
    return AdapterState(checked_version(metadata.get("version", ""), source), (), tensors)


def read_tensors(source: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file in float32, and its metadata.

    Raises:
        AdapterFileError: if there is no such file, or it is damaged.
    """
    from safetensors import SafetensorError, safe_open

    if not source.is_file():
        raise AdapterFileError(f"there is no adapter file at {source}; save_adapter writes one")
    try:
        with safe_open(source, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise AdapterFileError(f"{source} cannot be read as an adapter ({error}); save_adapter writes them") from None
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise AdapterFileError(f"{source} holds weights that are not finite; save the adapter again")
    return tensors, metadata


def checked_version(text: str, source: Path) -> int:
    """How often an adapter was trained.

    Raises:
        AdapterFileError: if that is no number from 1.
    """
    if not text.isdecimal() or int(text) < 1:
        raise AdapterFileError(f"{source} holds no adapter in the format {FORMAT!r}; save_adapter writes them")
    return int(text)
