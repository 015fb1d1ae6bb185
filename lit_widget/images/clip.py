"""CLIP: what an image looks like, what a text says, and how near the two are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import HfApi
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor, nn
from transformers import AutoTokenizer, CLIPImageProcessor, CLIPModel
from transformers.utils import logging

from .class_names import checked_names
from .head import Head

POCKET = "pocket"
POCKET_FOLDER = Path(__file__).parent / "pocket" / "weights"

VIT_B_32 = "openai/clip-vit-base-patch32"
"""The paper's model, on the Hugging Face hub."""

TEMPLATE = "a photo of a {}"
"""The paper's prompt."""

TEXTS = 256
"""Texts that are embedded at once."""


class ClipError(ValueError):
    """A model that cannot be found or is no CLIP."""


class Clip:
    """A frozen CLIP model with its tokenizer and preprocessing.

    Args:
        model: the two towers and their projections.
        tokenizer: of the text tower.
        processor: how images are scaled, cropped and normalised.
        name: what reports call it.
    """

    def __init__(self, model: CLIPModel, tokenizer: Any, processor: Any, name: str) -> None:
        self.model, self.name = model.eval().requires_grad_(False), name
        self._tokenizer, self._processor = tokenizer, processor

    @classmethod
    def load(cls, name: str | Path = POCKET) -> Clip:
        """Load a model; no code that may lie beside its weights is run.

        Args:
            name: "pocket", which is bundled; a name on the Hugging Face hub such as `VIT_B_32`; or a folder with a
                model that transformers saved. Weights are read from safetensors alone.

        Returns:
            The model, frozen.

        Raises:
            ClipError: if there is no such model, or it is no CLIP.
        """
        if name == POCKET:
            with _without_bars():
                return cls(*_parts(str(POCKET_FOLDER), local=True), POCKET)
        folder = Path(name).expanduser()
        parts = _parts(str(folder), local=True) if folder.is_dir() else _from_hub(str(name))
        return cls(*parts, str(name))

    @property
    def width(self) -> int:
        """Numbers per image of `pooled`."""
        return self.model.visual_projection.in_features

    @property
    def digest(self) -> str:
        """Tells weights of the image side apart, so that cached features are never another model's."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        found = hashlib.sha256()
        for name, tensor in sorted(self.model.vision_model.state_dict().items()):
            found.update(name.encode())
            found.update(tensor.contiguous().numpy().tobytes())
        return found.hexdigest()[:16]

    def pixels(self, images: Sequence[UInt8[ndarray, "_ _ 3"]]) -> Float[Tensor, "n 3 s s"]:
        """Images as the vision tower takes them: scaled, cropped, normalised.

        Args:
            images: RGB, of any sizes.

        Returns:
            (n, 3, s, s), s being the side of the model's input.
        """
        return self._processor(images=list(images), return_tensors="pt", input_data_format="channels_last")[
            "pixel_values"
        ]

    @torch.no_grad()
    def pooled(self, images: Sequence[UInt8[ndarray, "_ _ 3"]]) -> Float[Tensor, "n d"]:
        """Features of images before the projection, which is where an adapter's training begins.

        Args:
            images: RGB, of any sizes; as many as fit into memory at once.

        Returns:
            (n, d), d being `width`.
        """
        if not images:
            return torch.zeros(0, self.width)
        return self.model.vision_model(pixel_values=self.pixels(images)).pooler_output

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> Float[Tensor, "k e"]:
        """Embeddings of texts, of length 1.

        Args:
            texts: of any length; what is too long for the model is cut off.

        Returns:
            (k, e), one row per text.

        Raises:
            ValueError: if there are none.
        """
        if not texts:
            raise ValueError("there is no text to embed; give at least one")
        text: Any = self.model.config.text_config
        parts = []
        for start in range(0, len(texts), TEXTS):
            tokens = self._tokenizer(
                list(texts[start : start + TEXTS]),
                padding=True,
                truncation=True,
                max_length=text.max_position_embeddings,
                return_tensors="pt",
            )
            states = self.model.text_model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"])
            parts.append(self.model.text_projection(states.pooler_output))
        return nn.functional.normalize(torch.cat(parts), dim=-1)

    def head(self, class_names: Sequence[str], template: str | Sequence[str] = TEMPLATE) -> Head:
        """The last step of the image side, with one score per class.

        Args:
            class_names: as texts, each once.
            template: how a class name becomes a text, "{}" standing for the name; the embeddings of several are
                averaged.

        Returns:
            The head, frozen.

        Raises:
            ValueError: if there are fewer than two classes, a name is empty or there twice, or a template has no "{}".
        """
        names = checked_names(class_names)
        templates = [template] if isinstance(template, str) else list(template)
        if not templates or any("{}" not in each for each in templates):
            raise ValueError(f"a template is a text with {{}} where the class name goes, got {template!r}")
        each = [self.embed_texts([one.replace("{}", name) for name in names]) for one in templates]
        scale = float(self.model.logit_scale.exp())
        return Head(self.model.visual_projection.weight, torch.stack(each).mean(0), scale=scale)


@contextmanager
def _without_bars() -> Iterator[None]:
    """No progress bars of transformers, for what takes no time."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _from_hub(name: str) -> tuple[CLIPModel, Any, Any]:
    """The parts of a model in the hub's local cache, downloaded with the hub's own progress bar if not there yet."""
    try:
        return _parts(name, local=True)
    except ClipError:
        pass
    try:
        HfApi().model_info(name, timeout=10)  # says at once that it cannot be reached; a download retries for a minute
    except Exception as error:
        raise ClipError(
            f"there is no folder {name!r} here, and the Hugging Face hub gives no model of that name "
            f"({type(error).__name__}: is this machine online?); give a folder, or use {POCKET!r}, which is bundled"
        ) from error
    return _parts(name, local=False)


def _parts(source: str, *, local: bool) -> tuple[CLIPModel, Any, Any]:
    """Model, tokenizer and preprocessing from a folder or from the hub."""
    try:
        loaded: Any = CLIPModel.from_pretrained(
            source, use_safetensors=True, local_files_only=local, output_loading_info=True
        )
        model, found = loaded
        if missing := found["missing_keys"]:
            raise ValueError(f"{len(missing)} of its tensors are missing, for example {min(missing)!r}")  # noqa: TRY301
        tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=local)
        return model.float(), tokenizer, CLIPImageProcessor.from_pretrained(source, local_files_only=local)
    except Exception as error:
        raise ClipError(
            f"{source} cannot be loaded as a CLIP ({type(error).__name__}: {str(error).splitlines()[0]}); it needs "
            f"config.json, model.safetensors, preprocessor_config.json and the tokenizer's files, as transformers' "
            f"save_pretrained writes them; or use {POCKET!r}, which is bundled"
        ) from error
