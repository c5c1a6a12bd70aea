"""The weights of the reduction as the fused passes read them."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .reference import triangle


class Scatter(NamedTuple):
    """For each pixel of a line of ``size``: where it goes.

    Triangles reach to their neighbors' centers, so that a pixel has weight in two
    neighboring reduced pixels at most.
    """

    lower: np.ndarray  # (size,), the first of them; never falls, rises by 1 at most
    weights: np.ndarray  # (2, size), in lower and in lower + 1, float64


class Gather(NamedTuple):
    """For each reduced pixel: where it comes from."""

    first: np.ndarray  # (reduced,), its first pixel
    count: np.ndarray  # (reduced,), of pixels
    weights: np.ndarray  # (reduced, taps), 0 from count on, float64


@lru_cache(maxsize=128)
def scatter(size: int, reduced: int) -> Scatter:
    table, step = triangle(size, reduced)
    table = np.pad(table.numpy(), ((0, 1), (0, 0)))  # nothing goes below the last
    pixels = np.arange(size)
    lower = np.minimum(pixels // step, reduced - 1).astype(np.int64)
    if reduced == 1:
        lower[:] = 0
    return Scatter(lower, np.stack([table[lower, pixels], table[lower + 1, pixels]]))


@lru_cache(maxsize=128)
def gather(size: int, reduced: int) -> Gather:
    table = triangle(size, reduced)[0].numpy()
    first, count = (table > 0).argmax(1), (table > 0).sum(1)
    taps = int(count.max())
    pixels = first[:, None] + np.arange(taps)
    weights = np.take_along_axis(np.pad(table, ((0, 0), (0, taps))), pixels, 1)
    return Gather(first, count, weights)
