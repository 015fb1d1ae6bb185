"""An adapter in a file: what was learned on one video, to begin the next one with (safetensors, never pickle)."""

from __future__ import annotations

from pathlib import Path

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
    from safetensors import SafetensorError, safe_open

    source = Path(path)
    if not source.is_file():
        raise AdapterFileError(f"there is no adapter file at {source}; save_adapter writes one")
    try:
        with safe_open(source, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise AdapterFileError(f"{source} cannot be read as an adapter ({error}); save_adapter writes them") from None
    version = metadata.get("version", "")
    if metadata.get("format") != FORMAT or not version.isdecimal() or int(version) < 1:
        raise AdapterFileError(f"{source} holds no adapter in the format {FORMAT!r}; save_adapter writes them")
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise AdapterFileError(f"{source} holds weights that are not finite; save the adapter again")
    return AdapterState(int(version), (), tensors)
