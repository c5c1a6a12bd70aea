"""Parameters of multi-scale TV-L1 flow, their presets, and the sizes of a pyramid."""

from typing import NamedTuple

MIN_SIDE = 16  # pixels; coarser levels are dropped


class Options(NamedTuple):
    """Parameters of OpenCV's DualTVL1OpticalFlow, with its defaults."""

    tau: float = 0.25  # step of the dual variables
    lam: float = 0.15  # weight of the data term
    theta: float = 0.3  # tightness between the flow and its auxiliary copy
    scales: int = 5
    scale_step: float = 0.8  # ratio of the sides of consecutive levels
    warps: int = 5  # of each scale
    epsilon: float = 0.01  # pixels; root mean squared change that stops iterations
    inner_iterations: int = 30  # between two median filters
    outer_iterations: int = 10  # of each warp
    median: int = 5  # side of the filter's window; 1 for none
    interpolation: str = "bicubic"


INTERPOLATIONS = ("bicubic", "bilinear")
MEDIANS = (1, 3, 5)
PRESETS = {
    "opencv": Options(),
    # OpenCV's implementation for CUDA, which denseflow calls.
    "cuda": Options(
        inner_iterations=300, outer_iterations=1, median=1, interpolation="bilinear"
    ),
    # Chosen on FlyingChairs.
    "fast": Options(
        scales=6, scale_step=0.6, warps=3, inner_iterations=20, outer_iterations=1
    ),
}


def level_sizes(h: int, w: int, options: Options) -> list[tuple[int, int]]:
    """Height and width of each level, the finest first."""
    sizes = [(h, w)]
    while len(sizes) < options.scales:
        size = tuple(round(side * options.scale_step) for side in sizes[-1])
        if min(size) < MIN_SIDE:
            break
        sizes.append(size)
    return sizes
