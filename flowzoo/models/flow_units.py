"""The units and sizes of the flow that a MotionNet predicts."""

import math

import torch.nn.functional as F
from torch import Tensor

# One unit of predicted flow is so many pixels of the frames, at every scale.
PIXELS_PER_UNIT = 20.0


def reduction(clips: Tensor, flow: Tensor) -> int:
    """1, 2, 4, 8, ...: how much smaller than the frames of clips flow is."""
    size, wanted = max(zip(clips.shape[-2:], flow.shape[-2:], strict=True))
    factor = 1
    while -(-size // factor) > wanted:  # MotionNets round sizes up
        factor *= 2
    if -(-size // factor) == wanted:
        return factor
    return 2 ** round(math.log2(size / wanted))


def flow_in_pixels(flow: Tensor, size: tuple[int, int]) -> Tensor:
    """Enlarge predicted flow to the size of the frames, in their pixels.

    Args:
        flow: (N, 2 pairs, h, w), the finest flow of a MotionNet.
        size: H and W of the frames.

    Returns:
        (N, pairs, 2, H, W), float32.
    """
    # the outermost pixels' centers stay where they are, as in the losses
    full = F.interpolate(
        PIXELS_PER_UNIT * flow.float(), size, mode="bilinear", align_corners=True
    )
    return full.unflatten(1, (-1, 2))
