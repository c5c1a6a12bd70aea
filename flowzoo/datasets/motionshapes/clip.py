"""One MotionShapes clip: random parameters, frames and exact flow from a seed.

A *shape* is an endless nest of copies of one outline, each half the size of the
copy around it and with a texture of its own; the copies with a radius in
``(R / 8, R]`` are drawn, ``R = 0.42 * size``. It lies on a textured background,
and the camera shakes a little. Exactly one of place, angle and size changes,
steadily.

Why a single frame carries no label: place is uniform on the frame closed to a
torus (what leaves on the right comes in on the left), angle is uniform on the
circle, and size is uniform in ``log2`` with period one, because a nest doubled in
size is again a nest. A steady motion maps each of these distributions to itself, so
every single frame, at whatever index, has the same distribution in all classes. The
second class of each opposite pair is the first one played backwards.

Only sums, products, square roots and comparisons are made per pixel: IEEE
arithmetic fixes their results, so frames do not depend on the machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .outline import Outline, sample_outline

CLASSES = (
    "right",
    "left",
    "up",
    "down",
    "clockwise",
    "counterclockwise",
    "zoom_in",
    "zoom_out",
)

# Speeds per frame. At 64 x 64 the outline moves by about 1 to 3 pixels.
TRANSLATION = (1.0 / 64, 3.0 / 64)  # of the frame's width
ROTATION = (0.07, 0.16)  # radians
ZOOM = (0.09, 0.18)  # of log2(size)

RADIUS = 0.42  # of the frame's width: the largest outline drawn
LAYERS = 3  # nested outlines drawn at a time
SHAKE = 0.6  # pixels, the most that the camera leaves its mean position

_TEXELS = 14  # samples of a layer's texture per unit of the layer's radius
_MARGIN = 2  # samples around a texture, for the shake and for the outline's edge


@dataclass(frozen=True)
class Clip:
    """A rendered clip with its true motion.

    Attributes:
        frames: (T, H, W, 3) uint8, RGB.
        flow: (T - 1, 2, H, W) float32, pixels. Channel 0 is x to the right, 1 is y
            down; ``flow[t]`` at a pixel of frame t says how far its content lies
            away in frame t + 1. That content may be hidden there, or outside the
            frame (and then comes back on the opposite side).
        foreground: (T, H, W) bool, True where the shape covers half a pixel or more.
        label: index into ``CLASSES``.
    """

    frames: np.ndarray
    flow: np.ndarray
    foreground: np.ndarray
    label: int


@dataclass(frozen=True)
class _Scene:
    """Everything that is drawn, with T poses of the shape and of the camera."""

    background: np.ndarray  # (H + 4, W + 4, 3) float32, gray levels
    textures: np.ndarray  # (layers, P, P, 3) float32, gray levels, outermost first
    outline: Outline
    camera: np.ndarray  # (T, 2) pixels, x and y
    place: np.ndarray  # (T, 2) pixels, x and y, not wrapped
    angle: np.ndarray  # (T,) radians, clockwise on the screen
    zoom: np.ndarray  # (T,) log2 of the size, not wrapped


def render_clip(
    label: int, seed: tuple[int, ...], num_frames: int = 16, size: int = 64
) -> Clip:
    """Render the clip of class ``label`` that belongs to ``seed``.

    With the same seed, opposite classes give the same clip forwards and backwards.

    Args:
        label: index into ``CLASSES``.
        seed: non-negative numbers, the entropy of a ``numpy.random.SeedSequence``.
        num_frames: frames of the clip, at least 2.
        size: height and width in pixels.
    """
    scene = _sample_scene(label, seed, num_frames, size)
    center = scene.camera + scene.place
    pixels = np.arange(size, dtype=np.float64)
    # Pixel positions relative to the nearest copy of the shape on the torus.
    offset = np.mod(pixels - center[:, :, None] + size / 2, size) - size / 2
    x = np.broadcast_to(offset[:, 0, None, :], (num_frames, size, size))
    y = np.broadcast_to(offset[:, 1, :, None], (num_frames, size, size))

    frames = _render_background(scene, size)
    foreground = _paint_shape(frames, scene, x, y, RADIUS * size)
    return Clip(
        frames=np.rint(frames).astype(np.uint8),
        flow=_true_flow(scene, foreground, x, y),
        foreground=foreground,
        label=label,
    )


def _sample_scene(
    label: int, seed: tuple[int, ...], num_frames: int, size: int
) -> _Scene:
    """Draw a scene. All classes draw the same numbers in the same order."""
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    outline = sample_outline(rng)
    camera = _sample_shake(rng, num_frames)
    place = np.tile(rng.random(2) * size, (num_frames, 1))
    angle = np.full(num_frames, rng.random() * 2 * math.pi)
    zoom = np.full(num_frames, rng.random())
    speed = rng.random()
    # Layers that zooming can bring in during the clip, whatever the class.
    more = math.ceil(ZOOM[1] * (num_frames - 1)) + 1
    textures = _sample_textures(rng, LAYERS + more, 2 * (_TEXELS + _MARGIN), 2)
    background = _sample_textures(rng, 1, size + 2 * _MARGIN, 4)[0]

    def steady(limits: tuple[float, float]) -> np.ndarray:
        return (limits[0] + (limits[1] - limits[0]) * speed) * np.arange(num_frames)

    motion, backwards = divmod(label, 2)
    if motion == 0:
        place[:, 0] += steady(TRANSLATION) * size
    elif motion == 1:
        place[:, 1] -= steady(TRANSLATION) * size
    elif motion == 2:
        angle += steady(ROTATION)
    else:
        zoom += steady(ZOOM)

    order = slice(None, None, -1 if backwards else 1)
    return _Scene(
        background=background,
        textures=textures,
        outline=outline,
        camera=camera[order],
        place=place[order],
        angle=angle[order],
        zoom=zoom[order],
    )


def _sample_shake(rng: np.random.Generator, num_frames: int) -> np.ndarray:
    """Smooth random camera path: stationary, and the same forwards and backwards."""
    noise = SHAKE * (2 * rng.random((num_frames + 2, 2)) - 1)
    return (noise[:-2] + 2 * noise[1:-1] + noise[2:]) / 4


def _sample_textures(
    rng: np.random.Generator, count: int, size: int, smoothing: int
) -> np.ndarray:
    """Smooth random color patterns, (count, size, size, 3), in [5, 250]."""
    noise = rng.random((count, size, size, 4))
    for _ in range(smoothing):
        for axis in (1, 2):
            noise = noise + np.roll(noise, 1, axis) + np.roll(noise, -1, axis)
    low = noise.min(axis=(1, 2), keepdims=True)
    high = noise.max(axis=(1, 2), keepdims=True)
    pattern = 2 * (noise - low) / (high - low) - 1
    # One pattern shared by the colors, for luminance, and one of their own.
    pattern = 55 * pattern[..., :1] + 25 * pattern[..., 1:]
    color = 85 + 85 * rng.random((count, 1, 1, 3))
    return (color + pattern).astype(np.float32)


def _render_background(scene: _Scene, size: int) -> np.ndarray:
    """The background seen by the moving camera, (T, H, W, 3) float32."""
    frames = []
    for x, y in _MARGIN - scene.camera:
        left, top = math.floor(x), math.floor(y)
        wx, wy = np.float32(x - left), np.float32(y - top)
        corner = scene.background[top : top + size + 1, left : left + size + 1]
        rows = corner[:-1] + wy * (corner[1:] - corner[:-1])
        frames.append(rows[:, :-1] + wx * (rows[:, 1:] - rows[:, :-1]))
    return np.stack(frames)


def _paint_shape(
    frames: np.ndarray, scene: _Scene, x: np.ndarray, y: np.ndarray, largest: float
) -> np.ndarray:
    """Paint the nest onto ``frames`` from the outside in; return its support.

    Args:
        frames: (T, H, W, 3) float32, changed in place.
        scene: what to paint.
        x, y: (T, H, W), pixel positions relative to the shape's center.
        largest: radius, in pixels, at which an outline disappears.
    """
    # Only pixels in reach of the shape are computed; edges are one pixel wide.
    inside = np.flatnonzero(x * x + y * y < (largest + 1) ** 2)
    frame = inside // (x.shape[1] * x.shape[2])
    cos, sin = np.cos(scene.angle)[frame], np.sin(scene.angle)[frame]
    x, y = x.ravel()[inside], y.ravel()[inside]
    x, y = cos * x + sin * y, cos * y - sin * x
    gauge = scene.outline.gauge(x, y)

    pixels = frames.reshape(-1, 3)
    foreground = np.zeros(len(pixels), dtype=bool)
    outermost = np.ceil(scene.zoom).astype(np.int64)
    for depth in range(LAYERS):
        layer = outermost + depth
        radius = (largest * np.exp2(scene.zoom - layer))[frame]
        # Pixels to the outline, positive inside it.
        depth_inside = (radius - gauge) * scene.outline.inner
        hit = np.flatnonzero(depth_inside > -0.5)
        weight = np.minimum(depth_inside[hit] + 0.5, 1).astype(np.float32)[:, None]
        radius = radius[hit]
        color = _sample_bilinear(
            scene.textures,
            layer[frame[hit]],
            x[hit] / radius * _TEXELS + (_TEXELS + _MARGIN),
            y[hit] / radius * _TEXELS + (_TEXELS + _MARGIN),
        )
        target = inside[hit]
        below = pixels[target]
        pixels[target] = below + weight * (color - below)
        if depth == 0:
            foreground[target[weight[:, 0] >= 0.5]] = True
    return foreground.reshape(frames.shape[:3])


def _sample_bilinear(
    textures: np.ndarray, index: np.ndarray, x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Sample ``textures[index]`` (.., P, P, 3) at (x, y); index, x, y are (M,)."""
    width = textures.shape[1]
    # A coarse outline reaches up to a pixel beyond its texture's unit circle.
    x = np.clip(x, 0, width - 1.001)
    y = np.clip(y, 0, width - 1.001)
    left, top = x.astype(np.int64), y.astype(np.int64)
    wx = (x - left).astype(np.float32)[:, None]
    wy = (y - top).astype(np.float32)[:, None]
    texels = textures.reshape(-1, 3)
    corner = (index * width + top) * width + left
    upper = texels[corner]
    upper = upper + wx * (texels[corner + 1] - upper)
    lower = texels[corner + width]
    lower = lower + wx * (texels[corner + width + 1] - lower)
    return upper + wy * (lower - upper)


def _true_flow(
    scene: _Scene, foreground: np.ndarray, x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Displacement of each pixel's content to the next frame, (T - 1, 2, H, W)."""
    camera = np.diff(scene.camera, axis=0)[:, :, None, None]
    place = np.diff(scene.place, axis=0)[:, :, None, None]
    scale = np.exp2(np.diff(scene.zoom))
    turn = np.diff(scene.angle)
    cos = (scale * np.cos(turn))[:, None, None]
    sin = (scale * np.sin(turn))[:, None, None]
    x, y = x[:-1], y[:-1]
    own = np.stack([cos * x - sin * y - x, sin * x + cos * y - y], axis=1)
    shape = np.where(foreground[:-1, None], place + own, 0)
    return (camera + shape).astype(np.float32)
