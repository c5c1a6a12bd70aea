"""Inputs and checks shared by the tests of the normalized and reduced frames."""

import torch
from torch import Tensor

from flowzoo_kernels.frame_pyramid import frame_pyramid
from helpers.repflow_cases import assert_as_exact_as_eager

# (N, C, T, H, W) and sizes; every size is odd, whole, 1 or a ratio of its own
CASES = [
    ((2, 3, 4, 13, 19), [(7, 10), (13, 19), (4, 3), (1, 1), (2, 19), (13, 1)]),
    ((1, 3, 2, 45, 70), [(22, 35), (11, 17), (5, 8), (2, 4), (1, 2)]),
    ((1, 1, 1, 1, 1), [(1, 1)]),
    ((1, 4, 1, 1, 37), [(1, 5)]),
    ((2, 2, 1, 9, 1), [(8, 1), (2, 1), (1, 1)]),
    ((1, 7, 2, 6, 9), [(5, 4)]),  # more channels than are near
]
LRN = [(9, 1.0, 0.7), (4, 5.0, 0.5)]  # size, alpha, beta


def make_frames(
    shape: tuple[int, ...], dtype: torch.dtype = torch.float32, seed: int = 0
) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    return (torch.rand(*shape, generator=g, dtype=torch.float64) - 0.4).to(dtype)


def check_pyramid(
    frames: Tensor,
    sizes: list[tuple[int, int]],
    backend: str,
    lrn: tuple[int, float, float] = LRN[0],
) -> None:
    """A backend against the reference by the rule."""
    result = frame_pyramid(frames, sizes, *lrn, backend=backend)
    eager = frame_pyramid(frames, sizes, *lrn, backend="reference")
    exact = frame_pyramid(frames.double(), sizes, *lrn, backend="reference")
    for size, *values in zip(sizes, result, eager, exact, strict=True):
        assert_as_exact_as_eager(str(size), *values)
