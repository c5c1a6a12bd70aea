"""Crops that follow what moves."""

from __future__ import annotations

import cv2
import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform


@TRANSFORMS.register_module()
class MotionCrop(BaseTransform):
    """Cut each clip to the window in which its frames differ, and resize it.

    For videos of a camera that stands still, in which people are small: the network's
    pixels go to those who move. A clip without motion stays whole; single frames, which
    a ``clip_len`` of 1 samples, have the window of all of them together. It is ours, of
    no paper; docs/comparison.md says what it brings.

    Required keys: ``imgs``, a list of (H, W, 3) of unsigned bytes, and ``clip_len``.
    Changed keys: ``imgs`` and ``img_shape``, and ``crop_quadruple``, as of mmaction2's
    crops, if there is one window only.

    Args:
        scale: (width, height) of the result; windows have its aspect ratio, unless the
            frame is too small for one that holds all of the motion.
        smallest: size of the smallest window, as a part of the largest that has its
            aspect ratio and fits into the frame.
        threshold: how much a pixel's gray value, blurred, has to change over a clip in
            order to count as motion, of 255.
        margin: what is added on each side of the motion, as a part of its size.

    Raises:
        ValueError: an argument is out of range, frames are not of three bytes a pixel,
            or a lazy transform before it has not been applied.
    """

    def __init__(
        self,
        scale: tuple[int, int],
        smallest: float = 0.65,
        threshold: int = 15,
        margin: float = 0.1,
    ) -> None:
        sizes = isinstance(scale, list | tuple) and len(scale) == 2
        if not sizes or not all(isinstance(s, int) and s > 0 for s in scale):
            raise ValueError(f"scale should be two positive integers, got {scale!r}")
        if not (0 < smallest <= 1 and 1 <= threshold < 255 and 0 <= margin < 10):
            raise ValueError(
                "MotionCrop needs smallest in (0, 1], threshold in [1, 255) and margin "
                f"in [0, 10), got {smallest}, {threshold} and {margin}"
            )
        self.scale = tuple(scale)
        self.smallest = smallest
        self.threshold = threshold
        self.margin = margin

    def window(self, frames: list[np.ndarray]) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of a clip's window, in pixels."""
        if any(f.dtype != np.uint8 or f.shape[2:] != (3,) for f in frames):
            raise ValueError(
                "MotionCrop takes RGB frames of unsigned bytes, got "
                f"{frames[0].dtype} of {frames[0].shape}"
            )
        height, width = frames[0].shape[:2]
        gray = np.stack([
            cv2.GaussianBlur(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), (5, 5), 0)
            for f in frames
        ])  # fmt: skip
        moves = gray.max(0) - gray.min(0) > self.threshold
        rows, columns = (
            np.flatnonzero(moves.sum(axis) > 1)  # a single pixel is noise
            for axis in (1, 0)
        )
        if not len(rows) or not len(columns):
            return 0, 0, width, height
        part = 1 + 2 * self.margin
        needed_width = part * (columns[-1] + 1 - columns[0])
        needed_height = part * (rows[-1] + 1 - rows[0])
        aspect = self.scale[0] / self.scale[1]
        smallest = self.smallest * min(height, width / aspect)
        window_height = max(needed_height, needed_width / aspect, smallest)
        window_height = min(height, window_height)
        window_width = min(width, max(window_height * aspect, needed_width))
        left, right = _span(columns, window_width, width)
        top, bottom = _span(rows, window_height, height)
        return left, top, right, bottom

    def transform(self, results: dict) -> dict:
        if "lazy" in results:
            raise ValueError("MotionCrop needs Fuse between lazy transforms and itself")
        frames, length = results["imgs"], results["clip_len"]
        if length == 1:
            length = len(frames)
        results["imgs"] = []
        height, width = frames[0].shape[:2]
        for begin in range(0, len(frames), length):
            clip = frames[begin : begin + length]
            left, top, right, bottom = self.window(clip)
            results["imgs"] += [
                cv2.resize(frame[top:bottom, left:right], self.scale) for frame in clip
            ]
        results["img_shape"] = self.scale[::-1]
        if len(frames) == length:
            x, y, w, h = results.get("crop_quadruple", (0, 0, 1, 1))
            results["crop_quadruple"] = np.array(
                [
                    x + w * left / width,
                    y + h * top / height,
                    w * (right - left) / width,
                    h * (bottom - top) / height,
                ],
                dtype=np.float32,
            )
        return results

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(scale={self.scale}, smallest={self.smallest}, "
            f"threshold={self.threshold}, margin={self.margin})"
        )


def _span(where: np.ndarray, size: float, limit: int) -> tuple[int, int]:
    """Begin and end of a window of a size around where something is."""
    center = (where[0] + where[-1] + 1) / 2
    begin = round(min(max(center - size / 2, 0), limit - size))
    return begin, min(limit, begin + max(1, round(size)))
