"""A LoRA in the folder layout of peft: what others load with `PeftModel.from_pretrained`, and what they trained."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from tempfile import mkdtemp

from .adapter import Adapter
from .adapter_file import FORMAT, AdapterFileError, checked_version, read_tensors
from .recipes import Lora
from .types import AdapterState

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."

_OURS = re.compile(r"(.*\.lora_[AB])\.default\.weight")
_THEIRS = re.compile(re.escape(PREFIX) + r"(.*\.lora_[AB])\.weight")


def is_peft_folder(path: str | Path) -> bool:
    """Whether a path is a folder with an adapter of peft."""
    return (Path(path) / CONFIG).is_file()


def save_peft(adapter: Adapter, folder: str | Path) -> Path:
    """Write a LoRA as a folder that peft reads; the model that it belongs to is the mask decoder.

    Args:
        adapter: trained.
        folder: to appear.

    Raises:
        AdapterFileError: if the folder is there, or what the adapter trains is not the paper's LoRA.
    """
    from safetensors.torch import save_file

    target, recipe, state = Path(folder), adapter.recipe, adapter.snapshot()
    if target.exists():
        raise AdapterFileError(f"{target} is there already; give a folder that is not")
    if not isinstance(recipe, Lora) or not recipe.keep_bias:
        raise AdapterFileError("only a LoRA can be written for peft; without format= any adapter is saved")
    named = {match[1]: tensor for name, tensor in state.tensors.items() if (match := _OURS.fullmatch(name))}
    tensors = {f"{PREFIX}{name}.weight": tensor.cpu().contiguous() for name, tensor in named.items()}
    draft = Path(mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        (draft / CONFIG).write_text(json.dumps(recipe.config().to_dict(), indent=2, default=sorted), "utf-8")
        metadata = {"format": FORMAT, "version": str(state.version)}
        save_file(tensors, draft / WEIGHTS, metadata=metadata)
        draft.chmod(0o755)
        return draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def load_peft(folder: str | Path) -> AdapterState:
    """Read a LoRA that peft or `save_peft` wrote.

    Raises:
        AdapterFileError: if it is damaged, or not a plain LoRA of scale 1.
    """
    source = Path(folder)
    try:
        config = json.loads((source / CONFIG).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise AdapterFileError(f"{source / CONFIG} cannot be read ({error}); give a folder that peft wrote") from None
    _check_plain(config, source)
    tensors, metadata = read_tensors(source / WEIGHTS)
    matches = {name: _THEIRS.fullmatch(name) for name in tensors}
    if odd := sorted(name for name, match in matches.items() if match is None):
        raise AdapterFileError(f"{source} holds {odd[0]!r}, which is no part of a plain LoRA; give one without")
    named = {f"{match[1]}.default.weight": tensors[name] for name, match in matches.items() if match is not None}
    return AdapterState(checked_version(metadata.get("version", "1"), source), (), named)


def _check_plain(config: object, source: Path) -> None:
    """Refuse what has LoRA's tensors and means something else by them."""
    if not isinstance(config, dict) or config.get("peft_type") != "LORA":
        raise AdapterFileError(f"{source} holds no LoRA; give a folder with peft_type 'LORA'")
    if config.get("use_dora") or config.get("use_rslora") or config.get("lora_alpha") != config.get("r"):
        raise AdapterFileError(
            f"{source} holds a LoRA of another kind or scale (r {config.get('r')}, lora_alpha "
            f"{config.get('lora_alpha')}); give one with lora_alpha equal to r, without DoRA and rsLoRA"
        )
