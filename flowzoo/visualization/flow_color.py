"""Optical flow as colors: the wheel of the Middlebury benchmark."""

import math

import cv2
import numpy as np
import torch
from torch import Tensor

# From one hue to the next: red, yellow, green, cyan, blue, magenta and back to red. The
# eye tells more shades between some of them than between others.
_HUES = np.array(
    [(255, 0, 0), (255, 255, 0), (0, 255, 0), (0, 255, 255), (0, 0, 255), (255, 0, 255)]
)
_STEPS = (15, 6, 4, 11, 13, 6)


def color_wheel() -> np.ndarray:
    """The 55 colors of the wheel, (55, 3) uint8, from red toward yellow."""
    colors = []
    for start, end, steps in zip(
        _HUES, np.roll(_HUES, -1, axis=0), _STEPS, strict=True
    ):
        # the published table rounds the distance from the start, not the color
        distance = np.abs(end - start) * np.arange(steps)[:, None] // steps
        colors.append(start + np.sign(end - start) * distance)
    return np.concatenate(colors).astype(np.uint8)


def flow_to_color(
    flow: Tensor | np.ndarray, max_flow: float | None = None
) -> np.ndarray:
    """Color flow by its direction (hue) and length (saturation).

    Baker et al., "A Database and Evaluation Methodology for Optical Flow", IJCV 2011,
    with the colors of their program: to the right is red, down yellow, to the left
    light blue, up violet-blue, and no motion white.

    Args:
        flow: (..., 2, H, W) of any floating type and device, x (to the right), then y
            (down), in any unit.
        max_flow: the length that is drawn with full saturation, in the unit of the
            flow. Longer flow is darkened. None takes the greatest finite length in
            ``flow``: over all leading dimensions, so that the images of a sequence
            compare.

    Returns:
        (..., H, W, 3) uint8, RGB. Where the flow is not finite: black.

    Raises:
        ValueError: A shape without the two components, or max_flow not above 0.
    """
    if flow.ndim < 3 or flow.shape[-3] != 2:
        raise ValueError(f"flow has shape {tuple(flow.shape)}; expected (..., 2, H, W)")
    if max_flow is not None and not max_flow > 0:
        raise ValueError(f"max_flow={max_flow}, but it should be above 0")
    x, y = np.moveaxis(torch.as_tensor(flow).detach().cpu().double().numpy(), -3, 0)
    length = np.hypot(x, y)
    known = np.isfinite(length)
    x, y, length = (np.where(known, values, 0) for values in (x, y, length))
    # an image without motion is white
    length = length / (max_flow or length.max(initial=0) or 1)

    wheel = color_wheel() / 255
    # -0.0 is no other direction than 0.0
    angle = np.arctan2(-(y + 0.0), -(x + 0.0))  # -pi to the right
    place = (angle / math.pi + 1) / 2 * (len(wheel) - 1)
    before = place.astype(int)
    after = (before + 1) % len(wheel)
    share = (place - before)[..., None]
    hue = wheel[before] + share * (wheel[after] - wheel[before])

    length = length[..., None]
    color = np.where(length <= 1, 1 - length * (1 - hue), 0.75 * hue)
    return (255 * color * known[..., None]).astype(np.uint8)


def place(
    image: np.ndarray, window: tuple[float, float, float, float], size: tuple[int, int]
) -> np.ndarray:
    """An image of flow in its window of a frame, which is white elsewhere.

    Args:
        image: (h, w, 3) uint8.
        window: left, top, width and height, as parts of the frame's.
        size: (width, height) of the result, in pixels.
    """
    width, height = size
    left, top = round(window[0] * width), round(window[1] * height)
    right = max(left + 1, round((window[0] + window[2]) * width))
    bottom = max(top + 1, round((window[1] + window[3]) * height))
    frame = np.full((max(height, bottom), max(width, right), 3), 255, np.uint8)
    frame[top:bottom, left:right] = cv2.resize(
        image, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST
    )
    return frame[:height, :width]
