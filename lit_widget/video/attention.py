"""Memory attention over records that a tracker has chosen, with SAM 2's own modules and encodings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from lit_widget.core.shelf import Memo

from .memory import FrameRecord, Recall
from .memory_attention import CpuMemoryAttention

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base

Encoded = tuple[Tensor, Tensor]
"""Tokens (length, n, c) of n objects, and their positional encoding of the same shape."""


def attend(
    module: SAM2Base,
    top: Float[Tensor, "1 d h w"],
    top_position: Float[Tensor, "1 d h w"],
    recalls: Sequence[Recall],
    on_cpu: CpuMemoryAttention,
    *,
    begun: Memo,
) -> Float[Tensor, "n d h w"]:
    """Condition a frame's features on what is recalled of n objects.

    The package's `_prepare_memory_conditioned_features` ties to each other which frames are attended to, at which
    age, and whose pointers are read; here the tracker decides each. With plain SAM 2's recall the two are equal.

    Args:
        module: a SAM 2 or SAM 2.1 model.
        top: the frame's features at stride 16.
        top_position: their positional encoding.
        recalls: one per object, of equal `Recall.shape`.
        on_cpu: takes the place of the model's own memory attention where it can.
        begun: where it keeps what depends on the frame alone.
    """
    n, (height, width) = len(recalls), top.shape[-2:]
    if recalls[0].permanent:
        memories, pointers = _memories(module, recalls), _pointers(module, recalls)
        memory = torch.cat([memory for memory, _ in memories + pointers])
        memory_position = torch.cat([position for _, position in memories + pointers])
        n_pointers = sum(len(memory) for memory, _ in pointers)
        if on_cpu.takes(top):
            fused = on_cpu(top, top_position, memory, memory_position, n_pointers, begun=begun)
        else:
            fused = module.memory_attention(
                curr=[tokens(top, n)],
                curr_pos=[tokens(top_position, n)],
                memory=memory,
                memory_pos=memory_position,
                num_obj_ptr_tokens=n_pointers,
            )
    else:
        fused = tokens(top, n) + module.no_mem_embed
    return fused.permute(1, 2, 0).view(n, -1, height, width)


def tokens(grid: Float[Tensor, "m d h w"], n: int) -> Float[Tensor, "hw n d"]:
    """SAM 2's sequence layout of one feature map per object, or of one for all n."""
    return grid.flatten(2).permute(2, 0, 1).expand(-1, n, -1)


def _memories(module: SAM2Base, recalls: Sequence[Recall]) -> list[Encoded]:
    """Memory features: permanent ones first, then from the oldest to the newest."""
    columns = [(0, each) for each in zip(*(recall.permanent for recall in recalls), strict=True)]
    by_age = list(enumerate(zip(*(recall.recent for recall in recalls), strict=True), 1))
    columns += [(age, each) for age, each in reversed(by_age) if each[0] is not None]
    encoded = []
    for age, column in columns:
        records = cast("tuple[FrameRecord, ...]", column)
        features = tokens(torch.stack([record.features for record in records]), len(records))
        position = tokens(records[0].position[None], len(records))
        # Encodings are stored from the newest age to the oldest; the last is that of no age, which age 0 finds.
        encoded.append((features, position + module.maskmem_tpos_enc[age - 1]))
    return encoded


def _pointers(module: SAM2Base, recalls: Sequence[Recall]) -> list[Encoded]:
    """Object pointers, each cut into tokens as wide as memory features."""
    first, n = recalls[0], len(recalls)
    if not first.pointers:
        return []
    parts = [[record.output.pointer for _, record in recall.pointers] for recall in recalls]
    pointers = torch.stack([torch.stack(each) for each in zip(*parts, strict=True)])
    dim, width = pointers.shape[-1], module.mem_dim
    encoding = _age_encoding(module, first, dim).to(pointers.device)
    cut = pointers.reshape(-1, n, dim // width, width).permute(0, 2, 1, 3).flatten(0, 1)
    return [(cut, encoding.unsqueeze(1).expand(-1, n, width).repeat_interleave(dim // width, dim=0))]


def _age_encoding(module: SAM2Base, recall: Recall, dim: int) -> Float[Tensor, "p c"]:
    """What SAM 2.1 adds to say how old each pointer is; SAM 2 says nothing."""
    from sam2.modeling.sam2_utils import get_1d_sine_pe

    if not module.add_tpos_enc_to_obj_ptrs:
        return torch.zeros(len(recall.pointers), module.mem_dim)
    ages = torch.tensor([age for age, _ in recall.pointers]).to(next(module.parameters()).device)
    size = dim if module.proj_tpos_enc_in_obj_ptrs else module.mem_dim
    return cast("Any", module.obj_ptr_tpos_proj)(get_1d_sine_pe(ages / recall.reach, dim=size))
