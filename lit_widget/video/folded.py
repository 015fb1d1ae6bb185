"""The logits of token 0 for the many steps of an update of LoRA, with what is constant folded into what is small.

In the decoder's cross-attentions eight tokens meet thousands of image tokens. Projecting the image tokens to keys and
values is nearly all of the work, and only products of these with the few tokens are ever used. Matrix products may be
taken in any order: here the few tokens are projected with the transposed weights instead (q W_k for W_k x, and W_v
after attention instead of before), so that an image token is multiplied with 64 columns (heads times tokens) instead of
128, and nothing as long as the image is kept but attention itself. LoRA's branch is taken apart, since its dropout is
drawn for every number of every image token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from lit_widget.core.branch import Branch

from .replay import at_enlarged, enlarging, own_tokens, placed

if TYPE_CHECKING:
    from lit_widget.core.lora import LoraLinear

MASK = slice(2, 3)
"""Where the token of the only mask stands: after those of the object score and of the estimated IoU."""


class FoldedReplay:
    """The logits of token 0 as `SingleReplay` gives them, for LoRA on every query, key and value projection.

    Args:
        decoder: SAM 2's mask decoder with such adapters.
        inputs: from `Sam2.replay_inputs`.
    """

    def __init__(self, decoder: nn.Module, inputs: dict[str, Any]) -> None:
        self._heads = heads = cast("Any", decoder)
        self._tokens = own_tokens(heads, inputs)[0]
        source = inputs["image_embeddings"] + inputs["dense_prompt_embeddings"]
        self._size = source.shape[-2:]
        self._image, self._position = (_rows(each) for each in (source, inputs["image_pe"]))
        self._placed = self._image + self._position
        first = heads.transformer.layers[0]
        looks, tells = first.cross_attn_token_to_image, first.cross_attn_image_to_token
        self._keys = projected(looks, looks.k_proj, self._placed)
        self._values = projected(looks, looks.v_proj, self._image)
        self._queries = projected(tells, tells.q_proj, self._placed)
        enlarge, _, _, enlarge_again, _ = heads.output_upscaling
        (self._enlarge, bias), (self._enlarge_again, bias_again) = enlarging(enlarge), enlarging(enlarge_again)
        at_stride_8, at_stride_4 = at_enlarged(inputs["high_res_features"])
        self._at_stride_8 = at_stride_8[0].flatten(1) + bias
        self._at_stride_4 = at_stride_4[0].flatten(0, 2).flatten(1) + bias_again

    @staticmethod
    def fits(decoder: nn.Module) -> bool:
        """Whether the decoder is adapted in this way, and runs on a CPU, for which this is written."""
        from lit_widget.core.lora import LoraLinear  # loads peft, which takes seconds

        attentions = [each for each in decoder.modules() if hasattr(each, "out_proj")]
        adapted = [getattr(each, f"{name}_proj") for each in attentions for name in "qkv"]
        plain = all(type(each.out_proj) is nn.Linear for each in attentions)
        on_cpu = next(decoder.parameters()).device.type == "cpu"
        return on_cpu and plain and all(isinstance(each, LoraLinear) for each in adapted)

    @property
    def constants(self) -> tuple[Tensor, ...]:
        """All tensors in which another correction has other values."""
        known = self._keys, self._values, self._queries
        return self._image, self._placed, *known, self._at_stride_8, self._at_stride_4

    def __call__(self) -> Float[Tensor, "1 1 h w"]:
        """Logits at a quarter of the model's input size, with the decoder's present weights."""
        token, image = self._decoded()
        _, norm, first_activation, _, second_activation = self._heads.output_upscaling
        pixels = torch.addmm(self._at_stride_8, image, self._enlarge).unflatten(1, (4, -1)).flatten(0, 1)
        pixels = first_activation(F.layer_norm(pixels, pixels.shape[-1:], norm.weight, norm.bias, norm.eps))
        pixels = torch.addmm(self._at_stride_4, pixels, self._enlarge_again).unflatten(1, (4, -1)).flatten(0, 1)
        weights = self._heads.output_hypernetworks_mlps[0](token)
        return placed((second_activation(pixels) @ weights)[None], self._size)

    def _decoded(self) -> tuple[Float[Tensor, " d"], Float[Tensor, "n d"]]:
        """The mask token and the image tokens after the transformer."""
        transformer, tokens = self._heads.transformer, self._tokens
        queries, image, at = tokens, self._image, self._placed
        seen, asking = (self._keys, self._values), self._queries
        for layer in transformer.layers:
            looks, tells = layer.cross_attn_token_to_image, layer.cross_attn_image_to_token
            queries = layer.norm1(_among_themselves(layer, queries, tokens))
            queries = layer.norm2(queries + looked(looks, queries + tokens, at, image, known=seen))
            queries = layer.norm3(queries + layer.mlp(queries))
            image = layer.norm4(told(tells, queries + tokens, queries, at, image, known=asking))
            at, seen, asking = image + self._position, None, None
        final = transformer.final_attn_token_to_image
        token = queries[MASK] + looked(final, queries + tokens, at, image, answer=MASK)
        return transformer.norm_final_attn(token)[0], image


def _among_themselves(layer: Any, queries: Float[Tensor, "t d"], tokens: Float[Tensor, "t d"]) -> Float[Tensor, "t d"]:
    """The tokens after they have attended to each other."""
    rows = queries[None]
    if layer.skip_first_layer_pe:
        return layer.self_attn(q=rows, k=rows, v=rows)[0]
    asked = rows + tokens
    return queries + layer.self_attn(q=asked, k=asked, v=rows)[0]


def looked(
    attention: Any,
    asked: Float[Tensor, "t d"],
    at: Float[Tensor, "n d"],
    image: Float[Tensor, "n d"],
    *,
    known: tuple[Tensor, Tensor] | None = None,
    answer: slice = slice(None),
) -> Float[Tensor, "answered d"]:
    """What few tokens find in the image: softmax(q k') v, without keys and values of the image tokens.

    Args:
        attention: a cross-attention of SAM 2's decoder.
        asked: the tokens.
        at: the image tokens, with their positions, that keys are made of.
        image: those that values are made of.
        known: of image tokens that no step changes, frozen keys and values.
        answer: which tokens' answers are wanted; dropout is drawn for all.
    """
    keys, values = Branch(attention.k_proj), Branch(attention.v_proj)
    query = _by_head(attention, attention.q_proj(asked)[answer])
    # The bias of keys adds the same to all scores of a token, which softmax ignores.
    scores = _flat(query @ known[0].mT) if known else _flat(query @ _weights(attention, keys.frozen)) @ at.T
    scores = torch.addmm(scores, _flat(query @ _weights(attention, keys.up)), keys.squeezed(at))
    shares = scores.softmax(-1)
    if known:
        found = _unflat(attention, shares) @ known[1]
    else:
        found = _unflat(attention, shares @ image) @ _weights(attention, values.frozen).mT
    found = found + _unflat(attention, shares @ values.squeezed(image).T) @ _weights(attention, values.up).mT
    together = found.transpose(0, 1).flatten(1)
    return attention.out_proj(together if values.bias is None else together + values.bias)


def told(
    attention: Any,
    asked: Float[Tensor, "t d"],
    tokens: Float[Tensor, "t d"],
    at: Float[Tensor, "n d"],
    image: Float[Tensor, "n d"],
    *,
    known: Float[Tensor, "heads n e"] | None = None,
) -> Float[Tensor, "n d"]:
    """The image tokens and what they find in few tokens, without queries of the image tokens.

    Args:
        attention: a cross-attention of SAM 2's decoder.
        asked: the tokens, with their positions, that keys are made of.
        tokens: those that values are made of.
        at: the image tokens, with their positions.
        image: what is added to.
        known: of image tokens that no step changes, frozen queries.
    """
    queries = Branch(attention.q_proj)
    # In the order in which attention draws its dropout: queries, keys, values.
    squeezed = queries.squeezed(at)
    key, value = _by_head(attention, attention.k_proj(asked)), attention.v_proj(tokens)
    frozen = _weights(attention, queries.frozen)
    scores = at @ _flat(key @ frozen).T if known is None else _flat(key @ known.mT).T
    scores = torch.addmm(scores, squeezed.T, _flat(key @ _weights(attention, queries.up)).T)
    if queries.bias is not None:
        scores = scores + _flat(key @ _weights(attention, queries.bias[:, None])).T
    shares = scores.unflatten(1, (attention.num_heads, -1)).softmax(-1).flatten(1)
    out = attention.out_proj
    answers = value.unflatten(1, (attention.num_heads, -1)).transpose(0, 1) @ _weights(attention, out.weight.T)
    # Shares of a head sum to one, so that each head may bring its part of the bias.
    return torch.addmm(image, shares, _flat(answers + out.bias / attention.num_heads))


def projected(attention: Any, layer: LoraLinear, rows: Float[Tensor, "n d"]) -> Float[Tensor, "heads n e"]:
    """Image tokens projected by frozen weights alone, without bias, apart by head."""
    frozen = Branch(layer).frozen
    return (rows @ frozen.T).unflatten(1, (attention.num_heads, -1)).transpose(0, 1).contiguous()


def _by_head(attention: Any, projected: Float[Tensor, "t c"]) -> Float[Tensor, "heads t e"]:
    """Few tokens apart by head, and scaled as attention does."""
    apart = projected.unflatten(1, (attention.num_heads, -1)).transpose(0, 1)
    return apart * apart.shape[-1] ** -0.5


def _weights(attention: Any, weight: Float[Tensor, "c d"]) -> Float[Tensor, "heads e d"]:
    return weight.unflatten(0, (attention.num_heads, -1))


def _flat(by_head: Float[Tensor, "heads t d"]) -> Float[Tensor, "heads_t d"]:
    return by_head.flatten(0, 1)


def _unflat(attention: Any, rows: Float[Tensor, "heads_t d"]) -> Float[Tensor, "heads t d"]:
    return rows.unflatten(0, (attention.num_heads, -1))


def _rows(grid: Float[Tensor, "1 d h w"]) -> Float[Tensor, "n d"]:
    return grid[0].flatten(1).T.contiguous()
