"""Optical flow by TV-L1, for networks on flow."""

from __future__ import annotations

import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from flowzoo_kernels import tvl1_flow


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
        ValueError: Clips of a single frame, or a parameter that is out of its range.
    """

    def __init__(
        self, bound: float = 20.0, preset: str = "opencv", **parameters
    ) -> None:
        self.bound = bound
        self.preset = preset
        self.parameters = parameters

    def transform(self, results: dict) -> dict:
        if results["clip_len"] < 2:
            raise ValueError("flow needs clips of two frames; raise clip_len")
        frames = torch.from_numpy(np.stack(results["imgs"]))
        clips = frames.unflatten(0, (-1, results["clip_len"])).permute(0, 4, 1, 2, 3)
        flow = tvl1_flow(clips, self.preset, **self.parameters)
        flow = flow.clamp_(-self.bound, self.bound).permute(0, 2, 3, 4, 1)
        results["gt_flow"] = list(flow.flatten(0, 1).contiguous().numpy())
        return results

    def __repr__(self) -> str:
        changed = "".join(f", {k}={v!r}" for k, v in self.parameters.items())
        name = type(self).__name__
        return f"{name}(bound={self.bound}, preset={self.preset!r}{changed})"
