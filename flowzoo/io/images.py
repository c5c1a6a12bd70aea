"""Frames of a video as images."""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import VideoReformatter


class ToRGB:
    """Convert frames of one video to (H, W, 3) uint8 RGB images as players show them.

    Images are upright where the file says how the camera was held, and all have the
    size of the first one.

    Args:
        num_threads: of the conversion; 0 lets FFmpeg choose.
    """

    def __init__(self, num_threads: int = 1) -> None:
        self.num_threads = num_threads
        self._reformatter = VideoReformatter()  # one, as setting up takes long
        self._size: dict[str, int] = {}
        self._matrix: np.ndarray | None = None

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        if not self._size:
            self._size = dict(width=frame.width, height=frame.height)
            self._matrix = _display_matrix(frame)
        rgb = self._reformatter.reformat(
            frame, format="rgb24", threads=self.num_threads, **self._size
        )
        image = rgb.to_ndarray()
        if rgb is frame:  # whose memory the decoder may need, or another image share
            image = image.copy()
        return image if self._matrix is None else _turn(image, self._matrix)


def _display_matrix(frame: av.VideoFrame) -> np.ndarray | None:
    """(2, 2) int32 that takes columns and rows to where they are displayed."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return None
    return np.frombuffer(bytes(data), np.int32).reshape(3, 3)[:2, :2]


def _turn(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    (x_to_x, x_to_y), (y_to_x, y_to_y) = matrix
    if abs(x_to_y) > abs(x_to_x):
        image = image.swapaxes(0, 1)
        x_to_x, y_to_y = y_to_x, x_to_y
    mirrored = image[:: -1 if y_to_y < 0 else 1, :: -1 if x_to_x < 0 else 1]
    return np.ascontiguousarray(mirrored)
