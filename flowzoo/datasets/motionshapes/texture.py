"""Textures of scenes: fractal noise with edges drawn into it."""

from __future__ import annotations

import cv2
import numpy as np

_COARSEST = 64  # texels between the samples of the coarsest octave
_MARKS = 12  # the most that are drawn into a texture


def sample_texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A random picture, (height, width, 3) float32 in [0, 255].

    Octaves of noise, whose fineness and contrast differ from texture to texture, and
    lines and polygons of one color, which give it edges.
    """
    roughness = rng.uniform(0.3, 1.0)  # of each octave's amplitude to the coarser one's
    contrast = rng.uniform(10, 90)
    noise = np.zeros((height, width, 3), np.float32)
    amplitude, total = 1.0, 0.0
    step = _COARSEST
    while step >= 1:
        size = height // step + 2, width // step + 2
        # One pattern shared by the colors, for luminance, and one of their own.
        octave = rng.standard_normal((*size, 4), dtype=np.float32)
        octave = octave[..., :1] + 0.4 * octave[..., 1:]
        enlarged = cv2.resize(
            octave, (size[1] * step, size[0] * step), interpolation=cv2.INTER_LINEAR
        )
        noise += amplitude * enlarged[:height, :width]
        total += amplitude**2
        amplitude *= roughness
        step //= 2
    picture = rng.uniform(50, 205, 3) + contrast * noise / np.sqrt(total)
    picture = np.clip(picture, 0, 255).astype(np.float32)
    for _ in range(rng.integers(_MARKS + 1)):
        _draw_mark(rng, picture)
    return picture


def _draw_mark(rng: np.random.Generator, picture: np.ndarray) -> None:
    """Draw a line or a polygon of one color, nearly opaque or faint."""
    height, width = picture.shape[:2]
    color = rng.uniform(0, 255, 3)
    center = rng.random(2) * (width, height)
    mask = np.zeros((height, width), np.uint8)
    if rng.random() < 0.4:
        end = center + rng.uniform(-100, 100, 2)
        points = np.rint([center, end]).astype(np.int32)
        cv2.line(mask, *points.tolist(), 255, int(rng.integers(1, 7)), cv2.LINE_AA)
    else:
        corners = center + rng.uniform(-30, 30, (int(rng.integers(3, 6)), 2))
        cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], 255, cv2.LINE_AA)
    x, y, w, h = cv2.boundingRect(mask)
    part = picture[y : y + h, x : x + w]
    weight = mask[y : y + h, x : x + w, None].astype(np.float32) / 255
    part += rng.uniform(0.3, 1) * weight * (color.astype(np.float32) - part)
