"""One MotionShapes scene: textured layers, a moving camera, exact flow, from a seed.

A background and several objects lie one before another. Each object translates, rotates
and zooms, and so does the camera, steadily. Unlike in the clips of :mod:`.clip`, motion
is up to ``max_motion`` pixels a frame, and there are no classes: scenes are for motion
estimators.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from .outline import sample_outline
from .texture import sample_texture

FRAME_SIZE = 192, 256  # height and width

OBJECTS = 2, 9  # the least and the most
RADIUS = 0.06, 0.45  # of objects, of the frame's height
NOISE = 3.0  # gray levels, the most of a frame's noise

# The camera's and an object's own motion add up, and the camera's grows outward, where
# an object's motion takes it: these are what the sum of 1 leaves to each.
_CAMERA, _OWN = 0.45, 0.5


@dataclass(frozen=True)
class Scene:
    """A rendered scene with its true motion.

    Attributes:
        frames: (T, H, W, 3) uint8, RGB.
        flow: (T - 1, 2, H, W) float32, pixels. Channel 0 is x to the right, 1 is y
            down; what lies there may be hidden or outside in the next frame.
    """

    frames: np.ndarray
    flow: np.ndarray


@dataclass(frozen=True)
class _Layer:
    """A picture and the way it goes."""

    picture: np.ndarray  # (h, w, 4) float32: gray levels, opacity in [0, 1]
    pose: np.ndarray  # (3, 3): pixels of the picture to those of frame 0
    motion: np.ndarray  # (3, 3): pixels of a frame to those of the next one


def render_scene(
    seed: tuple[int, ...],
    num_frames: int = 2,
    height: int = FRAME_SIZE[0],
    width: int = FRAME_SIZE[1],
    max_motion: float = 20.0,
) -> Scene:
    """Render the scene that belongs to ``seed``.

    Args:
        seed: non-negative numbers, the entropy of a ``numpy.random.SeedSequence``.
        num_frames: at least 2.
        height, width: of the frames.
        max_motion: pixels that anything moves at most from one frame to the next.
            moves less, as cameras and objects have any speed up to half of that.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    layers = _sample_layers(rng, num_frames, height, width, max_motion)
    frames, flow = [], []
    for t in range(num_frames):
        frame, owner = _paint(layers, t, height, width)
        noise = rng.standard_normal(frame.shape, dtype=np.float32)
        frame = frame + NOISE * rng.random() * noise
        frames.append(np.rint(frame).clip(0, 255).astype(np.uint8))
        flow.append(_true_flow(layers, owner))
    return Scene(np.stack(frames), np.stack(flow[:-1]))


def _sample_layers(
    rng: np.random.Generator, num_frames: int, height: int, width: int, most: float
) -> list[_Layer]:
    """The background and the objects, from back to front."""
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    camera = _sample_motion(rng, middle, math.hypot(*middle), _CAMERA * most)
    # Enough of the background for what the camera will see.
    margin = math.ceil(most * (num_frames - 1)) + 1
    texture = sample_texture(rng, height + 2 * margin, width + 2 * margin)
    opaque = np.ones((*texture.shape[:2], 1), np.float32)
    background = np.concatenate([texture, opaque], axis=2)
    layers = [_Layer(background, _shift(-margin, -margin), camera)]
    for _ in range(rng.integers(OBJECTS[0], OBJECTS[1] + 1)):
        radius = height * np.exp(rng.uniform(*np.log(RADIUS)))
        place = rng.uniform(-0.1, 1.1, 2) * (width, height)
        picture = _sample_object(rng, radius)
        half = (picture.shape[0] - 1) / 2
        pose = _shift(*place) @ _sample_shape(rng) @ _shift(-half, -half)
        own = _sample_motion(rng, place, 1.5 * radius, _OWN * most)
        layers.append(_Layer(picture, pose, camera @ own))
    return layers


def _sample_object(rng: np.random.Generator, radius: float) -> np.ndarray:
    """A textured outline, in one case of four with holes, as foliage has them."""
    half = math.ceil(radius) + 1
    side = 2 * half + 1
    y, x = np.mgrid[-half : half + 1, -half : half + 1] / radius
    outline = sample_outline(rng)
    inside = (1 - outline.gauge(x, y)) * radius * outline.inner
    opacity = np.clip(inside + 0.5, 0, 1).astype(np.float32)
    if rng.random() < 0.25:
        grain = sample_texture(rng, side, side)[..., 0]
        holes = np.clip((grain - np.median(grain)) / 8 + 0.5, 0, 1)
        opacity *= holes
    texture = sample_texture(rng, side, side)
    return np.concatenate([texture, opacity[..., None]], axis=2)


def _sample_shape(rng: np.random.Generator) -> np.ndarray:
    """A rotation and a stretch along one axis."""
    angle, stretch = rng.uniform(0, 2 * math.pi), rng.uniform(0.5, 1.5)
    return _turn(angle) @ np.diag([stretch, 1.0, 1.0])


def _sample_motion(
    rng: np.random.Generator, center: np.ndarray, radius: float, most: float
) -> np.ndarray:
    """Translation, rotation and zoom about a center, in random shares.

    No point within ``radius`` of the center moves by more than ``most`` pixels.
    """
    length = most * rng.random()
    shares = rng.dirichlet((1.0, 0.25, 0.25))
    direction = rng.uniform(0, 2 * math.pi)
    signs = rng.choice((-1.0, 1.0), 2)
    shift = length * shares[0] * np.array([math.cos(direction), math.sin(direction)])
    # A point at the radius moves by 2 r sin(angle / 2) and by r (zoom - 1).
    angle = signs[0] * min(length * shares[1] / radius, 1.0)
    zoom = 1 + signs[1] * min(length * shares[2] / radius, 0.3)
    about = _turn(angle) @ np.diag([zoom, zoom, 1.0])
    return _shift(*shift) @ _shift(*center) @ about @ _shift(*-center)


def _shift(x: float, y: float) -> np.ndarray:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _turn(angle: float) -> np.ndarray:
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def _paint(
    layers: list[_Layer], t: int, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Frame t, (H, W, 3) float32, and which layer each of its pixels shows."""
    frame = np.zeros((height, width, 3), np.float32)
    owner = np.zeros((height, width), np.int64)
    for index, layer in enumerate(layers):
        pose = np.linalg.matrix_power(layer.motion, t) @ layer.pose
        rows, columns = _extent(layer.picture, pose, height, width)
        if rows.stop <= rows.start or columns.stop <= columns.start:
            continue
        sampled = _sample(layer.picture, np.linalg.inv(pose), rows, columns)
        color, opacity = sampled[..., :3], sampled[..., 3:]
        below = frame[rows, columns]
        frame[rows, columns] = below + opacity * (color - below)
        owner[rows, columns][opacity[..., 0] >= 0.5] = index
    return frame, owner


def _extent(
    picture: np.ndarray, pose: np.ndarray, height: int, width: int
) -> tuple[slice, slice]:
    """Rows and columns of the frame that a picture can reach."""
    h, w = picture.shape[:2]
    corners = np.array([[0, w - 1, 0, w - 1], [0, 0, h - 1, h - 1], [1, 1, 1, 1]])
    x, y, _ = pose @ corners
    return (
        slice(max(0, math.floor(y.min())), min(height, math.ceil(y.max()) + 1)),
        slice(max(0, math.floor(x.min())), min(width, math.ceil(x.max()) + 1)),
    )


def _sample(
    picture: np.ndarray, inverse: np.ndarray, rows: slice, columns: slice
) -> np.ndarray:
    """The picture (h, w, 4) at the pixels of a window of the frame, bilinearly."""
    h, w = picture.shape[:2]
    y, x = np.mgrid[rows, columns]
    source_x = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]
    source_y = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]
    grid = np.stack([2 * source_x / (w - 1) - 1, 2 * source_y / (h - 1) - 1], axis=-1)
    sampled = F.grid_sample(
        torch.from_numpy(picture).permute(2, 0, 1)[None],
        torch.from_numpy(grid.astype(np.float32))[None],
        align_corners=True,
    )
    return sampled[0].permute(1, 2, 0).numpy()


def _true_flow(layers: list[_Layer], owner: np.ndarray) -> np.ndarray:
    """Displacement of each pixel's layer to the next frame, (2, H, W)."""
    y, x = np.mgrid[: owner.shape[0], : owner.shape[1]]
    motions = np.stack([layer.motion - np.eye(3) for layer in layers])
    own = motions[owner]
    return np.stack(
        [own[..., i, 0] * x + own[..., i, 1] * y + own[..., i, 2] for i in (0, 1)]
    ).astype(np.float32)
