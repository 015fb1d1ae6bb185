"""Weights that are the same everywhere and with which a small SAM 2 does a bit of everything."""

import numpy as np
import torch

from lit_widget.video.pocket.architecture import build_pocket


def reference_model(seed, cls=None):
    """A small SAM 2 with random weights.

    The estimated IoUs are spread by a factor, so that they cross the trackers' thresholds; unlike a trained model,
    the object comes and goes and the candidates differ widely.
    """
    module = build_pocket(cls, embed_dim=16, memory_layers=1)
    # The stream of this generator never changes; that of the newer ones may.
    random = np.random.RandomState(seed)
    state = module.state_dict()
    for name, tensor in sorted(state.items()):
        draw = random.standard_normal(tuple(tensor.shape)).astype(np.float32)
        state[name] = torch.from_numpy(_scaled(name, draw)).reshape(tensor.shape)
    module.load_state_dict(state)
    return module.eval()


def _scaled(name, draw):
    if "norm" in name or "output_upscaling.1" in name:
        return np.full_like(draw, float(name.endswith("weight")))
    if "gamma" in name:
        return np.full_like(draw, 0.1)
    if name.endswith("bias"):
        is_score = any(head in name for head in ("iou_prediction_head.layers.2", "pred_obj_score_head.layers.2"))
        return np.zeros_like(draw) if is_score else np.float32(0.1) * draw
    if name.endswith("weight") and draw.ndim > 1 and "embed" not in name and "token" not in name:
        # Small enough that last bits, which differ between kernels, do not grow from frame to frame.
        gain = 16.8 if "iou_prediction_head.layers.2" in name else 0.84
        return np.float32(gain / np.sqrt(np.prod(draw.shape[1:]))) * draw
    return draw if "gaussian" in name else np.float32(0.5) * draw
