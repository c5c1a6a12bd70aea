"""mmaction2's transforms on numpy 2."""

from collections.abc import Callable

import cv2
import numpy as np
from mmaction.datasets.transforms import ColorJitter

from ._patch import wrap


def turn_hues_below_zero() -> None:
    """Answer ``OverflowError: Python integer -3 out of bounds for uint8``.

    ``ColorJitter`` adds the offset of the hue, which may be negative, to unsigned
    bytes; with numpy 1 the sum wrapped around at 256, not at 180.
    """

    def make(original: Callable) -> Callable:
        def adjust_hue(img: np.ndarray, factor: float) -> np.ndarray:
            hsv = cv2.cvtColor(img.clip(0, 255).astype(np.uint8), cv2.COLOR_RGB2HSV)
            hsv[..., 0] = (hsv[..., 0].astype(int) + int(factor * 255)) % 180
            return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).astype(np.float32)

        return adjust_hue

    wrap(ColorJitter, "adjust_hue", make)
