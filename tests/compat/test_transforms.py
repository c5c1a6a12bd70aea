"""ColorJitter turns hues in both directions."""

import colorsys

import numpy as np
import pytest

COLORS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 40, 150)]


@pytest.mark.parametrize("factor", [-0.3, -0.01, 0.0, 0.1, 0.5])
@pytest.mark.parametrize("color", COLORS)
def test_hues_turn_around_the_circle(factor, color):
    from mmaction.datasets.transforms import ColorJitter

    image = np.full((2, 2, 3), color, np.float32)
    turned = ColorJitter.adjust_hue(image, factor)
    assert turned.dtype == np.float32
    hue, saturation, value = colorsys.rgb_to_hsv(*(c / 255 for c in color))
    hue += int(factor * 255) / 180  # OpenCV's hues are bytes from 0 to 179
    wanted = [255 * c for c in colorsys.hsv_to_rgb(hue % 1, saturation, value)]
    np.testing.assert_allclose(turned[0, 0], wanted, atol=4)


def test_transform():
    from mmaction.datasets.transforms import ColorJitter

    np.random.seed(0)
    frames = [np.full((4, 5, 3), COLORS[0], np.uint8)] * 3
    for _ in range(20):
        results = ColorJitter()(dict(imgs=list(frames)))
        assert all(f.shape == (4, 5, 3) for f in results["imgs"])
