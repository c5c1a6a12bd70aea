"""Optical flow by TV-L1, for networks on flow."""

from __future__ import annotations

import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from flowzoo_kernels import tvl1_flow
from flowzoo_kernels.tvl1_flow.op import make_options


@TRANSFORMS.register_module()
class TVL1Flow(BaseTransform):
    """Compute the flow between consecutive frames of each clip by TV-L1.

    Required keys: ``imgs``, (H, W, 3) uint8 RGB frames of one size, and ``clip_len``.
    Added key: ``gt_flow``, a list of (H, W, 2) float32, clip_len - 1 for each clip: x
    to the right, y down, in pixels. ``TransformWithFlow`` and ``FlowAsFrames`` take it
    from there.

    Args:
        bound: larger components are cut off at it, in pixels.
        preset: of :func:`flowzoo_kernels.tvl1_flow`: 'opencv', 'cuda' or 'fast'.
        **parameters: of the same function, instead of the preset's.

    Raises:
        ValueError: Clips of a single frame, frames that are not as above, or a
            parameter that is out of its range.
    """

    def __init__(
        self, bound: float = 20.0, preset: str = "opencv", **parameters
    ) -> None:
        if not 0 < bound < float("inf"):
            raise ValueError(f"bound={bound}, but it must be a positive number")
        make_options(preset, **parameters)  # raises
        self.bound = bound
        self.preset = preset
        self.parameters = parameters

    def transform(self, results: dict) -> dict:
        frames, clip_len = results["imgs"], results["clip_len"]
        if clip_len < 2:
            raise ValueError("flow needs clips of two frames; raise clip_len")
        kinds = sorted({f"{frame.shape} {frame.dtype}" for frame in frames})
        first = frames[0]
        if len(kinds) > 1 or first.dtype != np.uint8 or first.shape[2:] != (3,):
            raise ValueError(
                f"TVL1Flow takes (H, W, 3) uint8 RGB frames of one size, not "
                f"{', '.join(kinds)}; put it after the frames are decoded, and before "
                f"they are normalized or formatted"
            )
        if len(frames) % clip_len:
            raise ValueError(f"{len(frames)} frames are not clips of {clip_len}")
        clips = torch.from_numpy(np.stack(frames)).unflatten(0, (-1, clip_len))
        clips = clips.permute(0, 4, 1, 2, 3)
        flow = tvl1_flow(clips, self.preset, **self.parameters)
        flow = flow.clamp_(-self.bound, self.bound).permute(0, 2, 3, 4, 1)
        results["gt_flow"] = list(flow.flatten(0, 1).contiguous().numpy())
        return results

    def __repr__(self) -> str:
        changed = "".join(f", {k}={v!r}" for k, v in self.parameters.items())
        name = type(self).__name__
        return f"{name}(bound={self.bound}, preset={self.preset!r}{changed})"
