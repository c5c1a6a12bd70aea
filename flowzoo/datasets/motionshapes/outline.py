"""Outlines of shapes: ellipses, regular polygons and stars."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Outline:
    """Outline, star-shaped about its center, that touches the unit circle.

    A union of convex polygons, each an intersection of half planes
    ``nx * x + ny * y <= 1``; without polygons, an ellipse with semi-axes 1 and
    ``inner``.
    """

    polygons: tuple[np.ndarray, ...]  # of (K, 2): nx, ny
    inner: float  # radius of the largest circle inside

    def gauge(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """0 at the center, 1 on the outline, linear along every ray."""
        if not self.polygons:
            y = y / self.inner
            return np.sqrt(x * x + y * y)
        return functools.reduce(
            np.minimum,
            (
                functools.reduce(np.maximum, (nx * x + ny * y for nx, ny in polygon))
                for polygon in self.polygons
            ),
        )


def sample_outline(rng: np.random.Generator) -> Outline:
    """An ellipse, a regular polygon, or a star of two of them."""
    corners, copies = ((0, 0), (3, 1), (4, 1), (5, 1), (3, 2), (4, 2))[rng.integers(6)]
    flatness = rng.random()
    if not corners:
        return Outline((), 0.5 + 0.4 * flatness)
    inner = math.cos(math.pi / corners)
    turns = np.arange(corners) / corners + np.arange(copies)[:, None] / corners / copies
    angles = 2 * math.pi * turns
    normals = np.stack([np.cos(angles), np.sin(angles)], axis=-1) / inner
    return Outline(tuple(normals), inner)
