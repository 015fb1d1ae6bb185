"""SAM 2's memory attention in float32 on a CPU: the package's weights and results, fewer operations.

Three things are constant or linear, and none of them is an approximation:

- the first layer's self-attention sees no memory: it is done once per frame, for all objects and passes;
- rows of attention sum to one, so that `attention @ (memory @ W + b)` is `(attention @ memory) @ W + b`: memories are
  averaged in their own width (64), a quarter of what they are projected to (256);
- scores of a block of keys and queries stay in the processor's cache until they have been used.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Complex, Float
from torch import Tensor, nn

from lit_widget.core.shelf import Memo

KEYS, QUERIES = 1024, 512
"""Size of the block of scores that each thread makes at a time: 2 MB. Smaller ones cost more waiting for each other."""

FEWEST_TOKENS = 1024
"""Of a frame; the official models have 4,096, the pocket model 256."""

HEADROOM = 64.0
"""Scores, as powers of two, may exceed the maximum that they are measured against by so much: float32 has 127."""


class CpuMemoryAttention:
    """Stands in for the package's `MemoryAttention`, whose weights it reads at every call.

    Args:
        module: the package's module.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module: Any = module
        self._usual = _is_usual(module)

    def takes(self, top: Tensor) -> bool:
        """Whether to use it for a frame: in float32 on a CPU, for a model of the official sizes.

        A smaller model gains milliseconds, and stays equal to the package to the last bit.
        """
        large = top.device.type == "cpu" and top[0, 0].numel() >= FEWEST_TOKENS
        return large and not torch.is_autocast_enabled("cpu") and self._usual

    def __call__(
        self,
        top: Float[Tensor, "1 d h w"],
        top_position: Float[Tensor, "1 d h w"],
        memory: Float[Tensor, "l n c"],
        memory_position: Float[Tensor, "l n c"],
        n_pointers: int,
        *,
        begun: Memo,
    ) -> Float[Tensor, "hw n d"]:
        """A frame's features, conditioned on the memory of n objects.

        Args:
            top: the frame's features at stride 16.
            top_position: their positional encoding.
            memory: tokens of remembered frames, then of object pointers.
            memory_position: their encoding.
            n_pointers: how many of the tokens are pointers.
            begun: where what depends on the frame alone is kept.
        """
        turns = self._turns(*top.shape[-2:])
        start = begun.get(lambda: self._start(top, top_position, turns))
        # Remembered features are bfloat16.
        pairs = zip((memory + memory_position).unbind(1), memory.float().unbind(1), strict=True)
        remembered = [_Memory(keys, values, n_pointers) for keys, values in pairs]
        return torch.stack([self._condition(start, turns, each) for each in remembered], dim=1)

    def _turns(self, height: int, width: int) -> Complex[Tensor, "hw r"]:
        """Rotary phases of the positions of a frame."""
        attention = self.module.layers[0].self_attn
        if len(attention.freqs_cis) == height * width:
            return attention.freqs_cis
        return attention.compute_cis(end_x=width, end_y=height)

    def _start(self, top: Tensor, top_position: Tensor, turns: Tensor) -> Float[Tensor, "hw d"]:
        """What the first layer makes of a frame before it looks at memory."""
        x = top[0].flatten(1).T
        if self.module.pos_enc_at_input:
            x = x + 0.1 * top_position[0].flatten(1).T
        return _look_around(self.module.layers[0], x, turns)

    def _condition(self, x: Float[Tensor, "hw d"], turns: Tensor, memory: _Memory) -> Float[Tensor, "hw d"]:
        scores = torch.empty(torch.get_num_threads() * KEYS * QUERIES)
        for number, layer in enumerate(self.module.layers):
            if number:
                x = _look_around(layer, x, turns)
            x = x + _look_back(layer.cross_attn_image, layer.norm2(x), turns, memory, scores)
            x = torch.cat([_think(layer, rows) for rows in x.split(QUERIES)])
        return self.module.norm(x)


def _is_usual(module: nn.Module) -> bool:
    """Whether the module is put together as in SAM 2's own configurations."""
    from sam2.modeling.memory_attention import MemoryAttention
    from sam2.modeling.sam.transformer import RoPEAttention

    def usual(layer: Any) -> bool:
        attentions = (layer.self_attn, layer.cross_attn_image)
        return (
            all(isinstance(each, RoPEAttention) and each.num_heads == 1 for each in attentions)
            and layer.pos_enc_at_cross_attn_keys
            and not (layer.pos_enc_at_attn or layer.pos_enc_at_cross_attn_queries)
        )

    return isinstance(module, MemoryAttention) and module.batch_first and all(map(usual, module.layers))


def _look_around(layer: Any, x: Float[Tensor, "hw d"], turns: Tensor) -> Float[Tensor, "hw d"]:
    """A layer's self-attention."""
    own, attention = layer.norm1(x), layer.self_attn
    query, key = (_turned(project(own), turns)[None, None] for project in (attention.q_proj, attention.k_proj))
    found = F.scaled_dot_product_attention(query, key, attention.v_proj(own)[None, None])
    return x + attention.out_proj(found[0, 0])


def _think(layer: Any, x: Float[Tensor, "rows d"]) -> Float[Tensor, "rows d"]:
    """A layer's MLP; of few rows at a time, what is eight times as wide stays in the cache."""
    return x + layer.linear2(layer.activation(layer.linear1(layer.norm3(x))))


def _look_back(
    attention: Any, x: Float[Tensor, "hw d"], turns: Tensor, memory: _Memory, scores: Tensor
) -> Float[Tensor, "hw d"]:
    """A layer's cross-attention to memory."""
    queries = _turned(attention.q_proj(x), turns)
    # Powers of two are quicker than those of e.
    queries = queries * (math.log2(math.e) / math.sqrt(queries.shape[1]))
    parts = queries.unflatten(0, (-1, math.gcd(len(queries), QUERIES))).mT.contiguous()
    averages = [_Average(each, memory.values.shape[1], scores) for each in parts.split(torch.get_num_threads())]
    for keys, values in _blocks(attention, memory, turns):
        for each in averages:
            each.add(keys, values)
    found = torch.cat([each.result() for each in averages])
    return attention.out_proj(attention.v_proj(found))


def _blocks(attention: Any, memory: _Memory, turns: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Keys and values of the tokens of remembered frames, turned, at most so many at a time; then those of pointers."""
    for start in range(0, len(memory.keys) - memory.n_pointers, len(turns)):
        for first, phases in zip(range(start, start + len(turns), KEYS), turns.split(KEYS), strict=True):
            block = slice(first, first + len(phases))
            yield _turned(attention.k_proj(memory.keys[block]), phases), memory.values[block]
    if memory.n_pointers:
        pointers = slice(-memory.n_pointers, None)
        yield attention.k_proj(memory.keys[pointers]), memory.values[pointers]


@dataclass(frozen=True)
class _Memory:
    """Memory of one object.

    Attributes:
        keys: all tokens with their encoding.
        values: all tokens without.
        n_pointers: how many of the tokens, the last ones, are object pointers; the others are of whole frames.
    """

    keys: Float[Tensor, "l c"]
    values: Float[Tensor, "l c"]
    n_pointers: int


def _turned(x: Float[Tensor, "l d"], turns: Complex[Tensor, "l r"]) -> Float[Tensor, "l d"]:
    """Rotary encoding: pairs of channels turned by their phases."""
    return torch.view_as_real(torch.view_as_complex(x.unflatten(1, (-1, 2))) * turns).flatten(1)


class _Average:
    """The average of values by attention, key block after key block, with a running maximum of the scores.

    Args:
        queries: some, scaled for powers of two, in as many parts as there are threads.
        width: of the values.
        scores: room for the scores of a block.
    """

    def __init__(self, queries: Float[Tensor, "t d q"], width: int, scores: Tensor) -> None:
        self._queries, self._scores = queries, scores
        self._length = queries.norm(dim=1, keepdim=True)
        self._top = torch.full_like(self._length, -math.inf)
        self._weight = torch.zeros_like(self._length)
        self._sum = queries.new_zeros(len(queries), width, queries.shape[2])

    def add(self, keys: Float[Tensor, "k d"], values: Float[Tensor, "k c"]) -> None:
        """Attend to these too."""
        parts, _, each = self._queries.shape
        scores = self._scores[: parts * len(keys) * each].view(parts, len(keys), each)
        torch.bmm(keys.expand(parts, -1, -1), self._queries, out=scores)
        # No score exceeds the product of the lengths: the maximum so far does while that is near.
        if (self._length * keys.norm(dim=1).max() - self._top).amax() > HEADROOM:
            self._raise(scores.amax(1, keepdim=True))
        scores.sub_(self._top).exp2_()
        self._weight.add_(scores.sum(1, keepdim=True))
        self._sum.baddbmm_(values.T.expand(parts, -1, -1), scores)

    def _raise(self, top: Float[Tensor, "t 1 q"]) -> None:
        """Measure what has been added against a greater maximum."""
        top = torch.maximum(self._top, top)
        kept = torch.exp2(self._top - top)
        self._top = top
        self._weight.mul_(kept)
        self._sum.mul_(kept)

    def result(self) -> Float[Tensor, "tq c"]:
        """The averages."""
        return (self._sum / self._weight).mT.flatten(0, 1)
