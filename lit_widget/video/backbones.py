"""Architectures from configuration files: the sam2 package's own, and any other in their form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .catalogue import ModelError

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base


def official_config(family: str, size: str) -> Path:
    """The sam2 package's own configuration file, for example of family "sam2.1" and size "b+"."""
    import sam2

    return Path(sam2.__path__[0]) / "configs" / family / f"{family}_hiera_{size}.yaml"


def build_backbone(config: Path) -> SAM2Base:
    """Build what a configuration file describes under `model`, with random weights.

    The file is read and instantiated as the sam2 package does it (OmegaConf, then Hydra), except that it can only
    name modules of that package: a stranger's file runs no other code.

    Returns:
        The model in `eval` mode on the CPU.

    Raises:
        ModelError: if the file is missing, is no such configuration, or names anything else.
    """
    from hydra.utils import instantiate
    from sam2.modeling.sam2_base import SAM2Base

    description = _read(config)
    for node in _nodes(description):
        _require_harmless(node, config)
    try:
        module = instantiate(description)
    except Exception as error:
        reason = str(error.__cause__ or error).partition("\n")[0]
        raise ModelError(f"{config} cannot be built with the installed sam2 package: {reason}") from error
    if not isinstance(module, SAM2Base):
        raise ModelError(
            f"{config} describes a {type(module).__name__}; its `model` must have the _target_ "
            f"sam2.modeling.sam2_base.SAM2Base"
        )
    return module.eval()


def _read(config: Path) -> dict[str, Any]:
    """The `model` section as plain data: nothing is left in it that could still be looked up elsewhere."""
    from omegaconf import OmegaConf

    if not config.is_file():
        raise ModelError(f"there is no configuration file at {config}; give the path of a .yaml file")
    try:
        content = OmegaConf.to_container(OmegaConf.load(config), resolve=True)
    except Exception as error:
        raise ModelError(
            f"{config} cannot be read as a configuration ({type(error).__name__}); expected a YAML file like the sam2 "
            f"package's own configs/sam2.1/sam2.1_hiera_t.yaml"
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get("model"), dict):
        raise ModelError(
            f"{config} has no section `model`; expected one as in the sam2 package's own "
            f"configs/sam2.1/sam2.1_hiera_t.yaml (a training configuration keeps it elsewhere)"
        )
    return content["model"]


def _nodes(value: Any) -> list[dict]:
    """Every dictionary in plain data, the outermost first."""
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict) else []
    return own + [node for child in children for node in _nodes(child)]


def _require_harmless(node: dict, config: Path) -> None:
    """Refuse a node that would run code other than the constructor of one of SAM 2's modules."""
    if "_target_" in node and not _is_sam2_module(node["_target_"]):
        raise ModelError(
            f"{config} names the _target_ {node['_target_']!r}; only modules of the sam2 package are allowed, because "
            f"anything else could run a stranger's code"
        )
    # SAM 2 unpickles this file without `weights_only` on older versions of torch.
    if node.get("weights_path") is not None:
        raise ModelError(
            f"{config} names a file of weights as weights_path; remove that line and give the whole checkpoint",
            {"weights": "PATH"},
        )


def _is_sam2_module(target: Any) -> bool:
    """Whether this is the dotted name of a `torch.nn.Module` that the sam2 package itself defines.

    The prefix alone would not do: `sam2.build_sam.os.system` has it too.
    """
    from hydra.utils import get_class
    from torch import nn

    if not isinstance(target, str) or not target.startswith("sam2."):
        return False
    try:
        found = get_class(target)
    except (ImportError, ValueError):
        return False
    return issubclass(found, nn.Module) and found.__module__.startswith("sam2.")
