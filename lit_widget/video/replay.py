"""A bare mask decoder, the model's own or an adapted one, on what it saw of a tracked frame (paper section 3.2)."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


def replay(decoder: nn.Module, inputs: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Run the whole decoder, without the gate by object score.

    Args:
        decoder: SAM 2's mask decoder.
        inputs: from `Sam2.replay_inputs`.

    Returns:
        Logits (n, 4, h, w) with token 0 first, estimated IoUs (n, 4), object scores (n, 1) and mask tokens (n, 4, d).
    """
    logits, ious, tokens, scores = cast("Any", decoder).predict_masks(**inputs)
    return logits.float(), ious, scores, tokens


class SingleReplay:
    """The logits of token 0 as `replay` gives them, for the many steps of an update.

    The same weights as in the package's `MaskDecoder.predict_masks`, without the other masks and heads, which an update
    never uses. What no step changes is made once. The decoder enlarges its image tokens twice, each to 2 x 2; here
    those four stay together in a new dimension, so that a transposed convolution is one matrix product, its
    normalisation is over the last dimension, and only the final logits are put in place. A test holds the two equal.

    Args:
        decoder: SAM 2's mask decoder.
        inputs: from `Sam2.replay_inputs`.
    """

    def __init__(self, decoder: nn.Module, inputs: dict[str, Any]) -> None:
        self._heads = heads = cast("Any", decoder)
        self._tokens = own_tokens(heads, inputs)
        self._image = inputs["image_embeddings"] + inputs["dense_prompt_embeddings"]
        self._position = inputs["image_pe"].expand_as(self._image)
        self._at_stride_8, self._at_stride_4 = at_enlarged(inputs["high_res_features"])

    @property
    def constants(self) -> tuple[Tensor, ...]:
        """All tensors in which another correction has other values."""
        return self._image, self._at_stride_8, self._at_stride_4

    def __call__(self) -> Float[Tensor, "n 1 h w"]:
        """Logits at a quarter of the model's input size, with the decoder's present weights."""
        decoded, source = self._heads.transformer(self._image, self._position, self._tokens)
        enlarge_twice, norm, first_activation, enlarge_again, second_activation = self._heads.output_upscaling
        pixels = _enlarged(source, enlarge_twice) + self._at_stride_8
        pixels = first_activation(F.layer_norm(pixels, pixels.shape[-1:], norm.weight, norm.bias, norm.eps))
        pixels = _enlarged(pixels, enlarge_again) + self._at_stride_4
        # The tokens are, in this order: object score, estimated IoU, then the masks.
        weights = self._heads.output_hypernetworks_mlps[0](decoded[:, 2])
        logits = (second_activation(pixels).flatten(1, -2) @ weights[:, :, None]).squeeze(2)
        return placed(logits, self._image.shape[-2:])


def own_tokens(heads: Any, inputs: dict[str, Any]) -> Float[Tensor, "n t d"]:
    """The decoder's own tokens, and those of the prompts."""
    own = torch.cat([heads.obj_score_token.weight, heads.iou_token.weight, heads.mask_tokens.weight])
    sparse = inputs["sparse_prompt_embeddings"]
    return torch.cat([own.expand(len(sparse), -1, -1), sparse], 1)


def at_enlarged(high_res: list[Tensor]) -> tuple[Float[Tensor, "n t 2 2 c"], Float[Tensor, "n t 2 2 2 2 c2"]]:
    """High-resolution features where an image token enlarged once and twice has its pixels."""
    at_stride_4, at_stride_8 = high_res
    finer = _fourfold(at_stride_4).unflatten(2, (-1, 2)).unflatten(5, (-1, 2))
    return (
        _fourfold(at_stride_8).permute(0, 2, 4, 3, 5, 1).flatten(1, 2),
        finer.permute(0, 2, 5, 3, 6, 4, 7, 1).flatten(1, 2),
    )


def placed(logits: Float[Tensor, "n pixels"], size: tuple[int, int]) -> Float[Tensor, "n 1 h w"]:
    """Pixels of image tokens enlarged twice, put where they belong in the image."""
    height, width = size
    apart = logits.unflatten(1, (height, width, 2, 2, 2, 2)).permute(0, 1, 3, 5, 2, 4, 6)
    return apart.reshape(len(logits), 1, 4 * height, 4 * width).float()


def _fourfold(features: Float[Tensor, "n d h w"]) -> Float[Tensor, "n d h2 2 w2 2"]:
    """Each two rows and two columns in dimensions of their own."""
    return features.unflatten(3, (-1, 2)).unflatten(2, (-1, 2))


def _enlarged(tokens: Float[Tensor, "*n d"], layer: nn.ConvTranspose2d) -> Float[Tensor, "*n 2 2 c"]:
    """What a transposed convolution of kernel and stride 2 makes of every token: 2 x 2 pixels, channels last."""
    weight, bias = enlarging(layer)
    return (tokens @ weight + bias).unflatten(-1, (2, 2, -1))


def enlarging(layer: nn.ConvTranspose2d) -> tuple[Float[Tensor, "d four_c"], Float[Tensor, " four_c"]]:
    """The matrix and the bias that make of a token its 2 x 2 pixels, channels last."""
    return layer.weight.permute(0, 2, 3, 1).flatten(1), cast("Tensor", layer.bias).repeat(4)
