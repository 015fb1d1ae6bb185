"""What can be asked of a model, described once for Python and the command line, and errors that point there.

Nothing here loads torch, so that a command line can describe itself at once.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

OPTIONS = {
    "weights": "a local .pt or .safetensors checkpoint instead of the model's own",
    "config": "a local YAML file of another SAM 2-compatible architecture, in the form of the sam2 package's own",
    "device": "cpu, cuda, cuda:N or mps; by default CUDA where there is one, else MPS, else the CPU",
    "precision": "of tracking: float32 or bfloat16; by default bfloat16 on CUDA, else float32; updates are in float32",
}
"""Options of `load_model`, and with two dashes of the command line."""

CAPABILITIES = {
    "points": "clicks on the object and off it, each refining the mask that is there",
    "box": "two corners around the object, alone or with clicks",
    "mask": "a mask painted in full, taken as it is",
    "several objects": "each with a memory and an adapter of its own",
    "both directions": "tracking forwards and backwards from any prompt",
    "absence": "a score on every frame that says whether the object is visible",
    "live adapter": "a LoRA in the mask decoder, trained on each correction; the model itself stays as it is",
}
"""What every model can do, by short name."""


@dataclass(frozen=True, repr=False, eq=False)
class Catalogue(Mapping[str, str]):
    """The models by name, each with one line of help; printed, it lists options and capabilities too.

    Attributes:
        models: what `load_model` takes as name.
        options: what else `load_model` takes.
        capabilities: what every model can do.
    """

    models: Mapping[str, str]
    options: Mapping[str, str]
    capabilities: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.models[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.models)

    def __len__(self) -> int:
        return len(self.models)

    def __repr__(self) -> str:
        return "\n".join(section(title, entries) for title, entries in vars(self).items())


def section(title: str, entries: Mapping[str, str]) -> str:
    """A heading and one line per entry, as text."""
    return "\n".join([f"{title}:", *(f"  {name:16} {line}" for name, line in entries.items())])


class ModelError(ValueError):
    """A model that cannot be found, does not fit, or cannot run here.

    Args:
        problem: what was given and what was expected.
        ways_out: what would work instead, each as options with their values; "model" is the name. The message
            writes them in Python.
    """

    def __init__(self, problem: str, *ways_out: Mapping[str, str]) -> None:
        self.problem, self.ways_out = problem, ways_out
        super().__init__(self._message(_in_python))

    @property
    def for_command_line(self) -> str:
        """The message with the ways out as options of the command line."""
        return self._message(_in_a_shell)

    def _message(self, spell: Callable[[Mapping[str, str]], str]) -> str:
        return "; use ".join([self.problem, *([" or ".join(map(spell, self.ways_out))] if self.ways_out else [])])


def _in_python(options: Mapping[str, str]) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in options.items() if name != "model")
    if "model" not in options:
        return given
    return f"load_model({', '.join([repr(options['model']), *filter(None, [given])])})"


def _in_a_shell(options: Mapping[str, str]) -> str:
    return shlex.join(word for name, value in options.items() for word in (f"--{name}", value))
