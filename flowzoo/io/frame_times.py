"""Frames of a video, checked against the times that they should have."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import av
import numpy as np


class WrongTimesError(Exception):
    """Frames have other times than their packets, or come in another order."""


def in_order(frames: Iterable[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """Frames, as long as each has a time after the one before."""
    last = -math.inf
    for frame in frames:
        time = frame.pts
        if time is None or time <= last:
            raise WrongTimesError
        last = time
        yield frame


def as_expected(
    frames: Iterable[av.VideoFrame], times: np.ndarray
) -> Iterator[av.VideoFrame]:
    """Frames, as long as their times are these."""
    for frame, time in zip(frames, times.tolist(), strict=False):
        if frame.pts != time:
            raise WrongTimesError
        yield frame
