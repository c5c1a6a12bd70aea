"""Optical flow by TV-L1, for networks on flow."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform


@TRANSFORMS.register_module()
class TVL1Flow(BaseTransform):
    """Compute the flow between consecutive frames of each clip, by OpenCV's TV-L1.

    Required keys: ``imgs``, (H, W, 3) uint8 RGB frames of one size, and ``clip_len``.
    Added key: ``gt_flow``, a list of (H, W, 2) float32, clip_len - 1 for each clip: x
    to the right, y down, in pixels. ``WithFlow`` and ``FlowAsFrames`` go on from there.

    Slow: of the order of a second for a pair of frames, on one core.

    Args:
        bound: larger components are cut off at it, in pixels.

    Raises:
        ValueError: Clips of a single frame.
        ImportError: OpenCV lacks its contrib modules.
    """

    def __init__(self, bound: float = 20.0) -> None:
        self.bound = bound

    def transform(self, results: dict) -> dict:
        if results["clip_len"] < 2:
            raise ValueError("flow needs clips of two frames; raise clip_len")
        if not hasattr(cv2, "optflow"):
            raise ImportError(
                "TV-L1 needs OpenCV with its contrib modules: pip install "
                "--force-reinstall --no-deps opencv-contrib-python-headless"
            )
        # not kept: it cannot be sent to the workers of a data loader
        tvl1 = cv2.optflow.createOptFlow_DualTVL1()
        gray = np.stack([cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in results["imgs"]])
        clips = gray.reshape(-1, results["clip_len"], *gray.shape[1:])
        results["gt_flow"] = [
            tvl1.calc(first, second, None).clip(-self.bound, self.bound)
            for clip in clips
            for first, second in itertools.pairwise(clip)
        ]
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(bound={self.bound})"
