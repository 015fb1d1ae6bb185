"""The pocket model's shape: SAM 2's own classes, in a size that two CPU cores can train and run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base

IMAGE_SIZE = 256
"""Side in pixels of the square the model sees; the stride-16 map is then 16 x 16 and mask logits 64 x 64."""

HIDDEN_DIM = 128
MEMORY_DIM = 64

# SAM 2.1's behaviour switches, as in the package's own `sam2.1_hiera_*.yaml` files. The pocket
# model differs from the official ones in size alone, so that every code path is theirs.
SAM21_BEHAVIOUR: dict[str, Any] = {
    "num_maskmem": 7,
    "sigmoid_scale_for_mem_enc": 20.0,
    "sigmoid_bias_for_mem_enc": -10.0,
    "use_mask_input_as_output_without_sam": True,
    "directly_add_no_mem_embed": True,
    "no_obj_embed_spatial": True,
    "use_high_res_features_in_sam": True,
    "multimask_output_in_sam": True,
    "iou_prediction_use_sigmoid": True,
    "use_obj_ptrs_in_encoder": True,
    "add_tpos_enc_to_obj_ptrs": True,
    "proj_tpos_enc_in_obj_ptrs": True,
    "use_signed_tpos_enc_to_obj_ptrs": True,
    "only_obj_ptrs_in_the_past_for_eval": True,
    "pred_obj_scores": True,
    "pred_obj_scores_mlp": True,
    "fixed_no_obj_ptr": True,
    "multimask_output_for_tracking": True,
    "use_multimask_token_for_obj_ptr": True,
    "multimask_min_pt_num": 0,
    "multimask_max_pt_num": 1,
    "use_mlp_for_obj_ptr_proj": True,
}


def build_pocket(
    cls: type[SAM2Base] | None = None,
    *,
    image_size: int = IMAGE_SIZE,
    hidden_dim: int = HIDDEN_DIM,
    embed_dim: int = 32,
    memory_layers: int = 2,
) -> SAM2Base:
    """Build the pocket model with random weights.

    Args:
        cls: `SAM2Base` (default) or a subclass such as `SAM2VideoPredictor`.
        image_size: side of the square input in pixels, a multiple of 32.
        hidden_dim: channels of the fused features (256 in the official models).
        embed_dim: channels of the first Hiera stage.
        memory_layers: layers of memory attention (4 in the official models).

    Returns:
        The model in `eval` mode on the CPU.
    """
    from sam2.modeling.backbones.hieradet import Hiera
    from sam2.modeling.backbones.image_encoder import FpnNeck, ImageEncoder
    from sam2.modeling.memory_attention import MemoryAttention, MemoryAttentionLayer
    from sam2.modeling.memory_encoder import CXBlock, Fuser, MaskDownSampler, MemoryEncoder
    from sam2.modeling.position_encoding import PositionEmbeddingSine
    from sam2.modeling.sam.transformer import RoPEAttention
    from sam2.modeling.sam2_base import SAM2Base

    def position(channels: int) -> PositionEmbeddingSine:
        return PositionEmbeddingSine(num_pos_feats=channels, normalize=True, scale=None, temperature=10000)

    side = image_size // 16
    trunk = Hiera(
        embed_dim=embed_dim,
        num_heads=1,
        stages=(1, 2, 3, 1),
        global_att_blocks=(5,),
        window_pos_embed_bkg_spatial_size=(7, 7),
        window_spec=(8, 4, side, side // 2),
    )
    neck = FpnNeck(
        position_encoding=position(hidden_dim),
        d_model=hidden_dim,
        backbone_channel_list=[embed_dim * 2**stage for stage in (3, 2, 1, 0)],
        fpn_top_down_levels=[2, 3],
        fpn_interp_model="nearest",
    )

    def rope(**kwargs: Any) -> RoPEAttention:
        return RoPEAttention(
            rope_theta=10000.0,
            feat_sizes=[side, side],
            embedding_dim=hidden_dim,
            num_heads=1,
            downsample_rate=1,
            dropout=0.0,
            **kwargs,
        )

    layer = MemoryAttentionLayer(
        activation="relu",
        dim_feedforward=2 * hidden_dim,
        dropout=0.0,
        pos_enc_at_attn=False,
        self_attention=rope(),
        d_model=hidden_dim,
        pos_enc_at_cross_attn_keys=True,
        pos_enc_at_cross_attn_queries=False,
        cross_attention=rope(rope_k_repeat=True, kv_in_dim=MEMORY_DIM),
    )
    memory_encoder = MemoryEncoder(
        out_dim=MEMORY_DIM,
        position_encoding=position(MEMORY_DIM),
        mask_downsampler=MaskDownSampler(embed_dim=hidden_dim, kernel_size=3, stride=2, padding=1),
        fuser=Fuser(
            layer=CXBlock(dim=hidden_dim, kernel_size=7, padding=3, layer_scale_init_value=1e-6, use_dwconv=True),
            num_layers=2,
        ),
        in_dim=hidden_dim,
    )
    return (cls or SAM2Base)(
        image_encoder=ImageEncoder(trunk=trunk, neck=neck, scalp=1),
        memory_attention=MemoryAttention(
            d_model=hidden_dim, pos_enc_at_input=True, layer=layer, num_layers=memory_layers
        ),
        memory_encoder=memory_encoder,
        image_size=image_size,
        **SAM21_BEHAVIOUR,
    ).eval()
