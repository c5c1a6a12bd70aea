"""Flow colors against the published program's values."""

import math

import numpy as np
import pytest
import torch

from flowzoo.visualization import color_wheel, flow_to_color
from flowzoo.visualization.flow_color import place


def at(x, y):
    return torch.tensor([x, y], dtype=torch.float64).reshape(2, 1, 1)


def published_wheel():
    """The table of Baker et al., colorcode.cpp, hue by hue."""
    rows = [(255, 255 * i // 15, 0) for i in range(15)]
    rows += [(255 - 255 * i // 6, 255, 0) for i in range(6)]
    rows += [(0, 255, 255 * i // 4) for i in range(4)]
    rows += [(0, 255 - 255 * i // 11, 255) for i in range(11)]
    rows += [(255 * i // 13, 0, 255) for i in range(13)]
    rows += [(255, 0, 255 - 255 * i // 6) for i in range(6)]
    return rows


def published_color(x, y):
    """One pixel with |flow| in units of the maximum, as colorcode.cpp has it.

    Before that cuts off the fraction, which rounding errors may move by one.
    """
    wheel, length = published_wheel(), math.hypot(x, y)
    place = (math.atan2(-y, -x) / math.pi + 1) / 2 * (len(wheel) - 1)
    k = int(place)
    color = []
    for a, b in zip(wheel[k], wheel[(k + 1) % len(wheel)], strict=True):
        value = (1 - place + k) * a / 255 + (place - k) * b / 255
        value = 1 - length * (1 - value) if length <= 1 else 0.75 * value
        color.append(255 * value)
    return np.array(color)


def test_wheel_is_the_published_one():
    assert color_wheel().tolist() == [list(row) for row in published_wheel()]


@pytest.mark.parametrize(
    ("flow", "color"),
    [
        ((1, 0), (255, 0, 0)),
        ((0, 1), (255, 229, 0)),
        ((-1, 0), (0, 209, 255)),
        ((0, -1), (88, 0, 255)),
        ((0, 0), (255, 255, 255)),
        ((0.5, 0), (255, 127, 127)),
        ((2, 0), (191, 0, 0)),
        ((1, -0.0), (255, 0, 0)),
        ((math.nan, 0), (0, 0, 0)),
        ((0, math.inf), (0, 0, 0)),
    ],
)
def test_known_colors(flow, color):
    assert tuple(flow_to_color(at(*flow), max_flow=1)[0, 0]) == color


def test_every_direction_and_length():
    rng = np.random.default_rng(0)
    flow = rng.uniform(-1.1, 1.1, (2, 3, 2, 5, 7))
    colors = flow_to_color(flow, max_flow=1)
    assert colors.shape == (2, 3, 5, 7, 3)
    assert colors.dtype == np.uint8
    for index in np.ndindex(2, 3, 5, 7):
        n, t, i, j = index
        cut_off = published_color(*flow[n, t, :, i, j]) - colors[index]
        assert cut_off.min() > -1e-9 and cut_off.max() < 1 + 1e-9


def test_greatest_length_of_all_is_saturated():
    flow = torch.zeros(2, 2, 1, 1, dtype=torch.bfloat16)
    flow[0, 0], flow[1, 0] = 3, 6
    assert flow_to_color(flow)[:, 0, 0].tolist() == [[255, 127, 127], [255, 0, 0]]
    assert (flow_to_color(torch.zeros(2, 3, 4)) == 255).all()
    assert flow_to_color(torch.zeros(0, 2, 3, 4)).shape == (0, 3, 4, 3)


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"\(3, 4, 5\); expected \(..., 2, H, W\)"):
        flow_to_color(torch.zeros(3, 4, 5))
    with pytest.raises(ValueError, match="max_flow=0"):
        flow_to_color(at(1, 0), max_flow=0)


@pytest.mark.parametrize(
    ("window", "rows", "columns"),
    [
        ((0, 0, 1, 1), slice(0, 8), slice(0, 10)),
        ((0.5, 0.25, 0.3, 0.5), slice(2, 6), slice(5, 8)),
        ((0.999, 0.999, 0.001, 0.001), slice(8, 9), slice(10, 11)),
    ],
)
def test_flow_is_placed_in_its_window(window, rows, columns):
    frame = place(np.zeros((3, 5, 3), np.uint8), window, (10, 8))
    wanted = np.full((8, 10, 3), 255, np.uint8)
    wanted[rows, columns] = 0
    np.testing.assert_array_equal(frame, wanted)
