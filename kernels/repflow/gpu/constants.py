"""What the Triton kernels are compiled for."""

import functools
from dataclasses import dataclass, field, fields

import torch
import triton.language as tl
from torch import Tensor

from ..._common import launch
from .tiling import LANES, Tiling


@dataclass(frozen=True, eq=False)  # compared at every launch: by identity, it is cheap
class Constants:
    """What kernels are compiled for; passed from function to function as one constexpr.

    The fields are constexpr themselves, as Triton wants them; its interpreter wants
    plain values.
    """

    GROUPS: int  # rows of patches of a program
    ROWS: int  # of pixels of a patch
    COLS: int
    TALL: bool  # strips lie in one warp after another; see patches.py
    EXACT: bool  # patches cover maps exactly
    TILED: bool  # programs hold tiles of maps, and not whole maps
    PAPER: bool  # the variant: paper or tvl1
    SOBEL: bool  # paper's flow kernels are the Sobel filters that it starts from
    # One launch is for paper's Sobel filters and one for any others: whichever does not
    # meet its kind has nothing to do.
    ONE_OF_TWO: bool
    PIXELS: int = field(init=False)  # of a patch
    QUADS: int = field(init=False)  # of four pixels, of a patch
    COLUMN: int = field(init=False)  # rows of a patch, padded to a power of 2
    PLACES: int = field(init=False)  # of a patch's pixels in memory
    AT_ONCE: int = field(init=False)  # fields that one access of memory moves

    def __post_init__(self) -> None:
        object.__setattr__(self, "PIXELS", self.ROWS * self.COLS)
        object.__setattr__(self, "QUADS", (self.PIXELS + 3) // 4)
        column = max(4 // self.COLS, 1 << (self.ROWS - 1).bit_length())
        object.__setattr__(self, "COLUMN", column)
        object.__setattr__(self, "PLACES", column * self.COLS)
        object.__setattr__(self, "AT_ONCE", 4 if self.PLACES < 16 else 2)
        if not launch.interpreted():
            for name in (f.name for f in fields(self)):
                object.__setattr__(self, name, tl.constexpr(getattr(self, name)))


@functools.cache
def constants(
    plan: Tiling, variant: str, sobel: bool, one_of_two: bool = True
) -> Constants:
    """What both kernels are compiled for."""
    shape = plan.shape
    return Constants(
        GROUPS=shape.GROUPS,
        ROWS=shape.ROWS,
        COLS=shape.COLS,
        TALL=shape.TALL,
        EXACT=shape.EXACT,
        TILED=plan.halo_before > 0,
        PAPER=variant == "paper",
        SOBEL=sobel,
        ONE_OF_TWO=variant == "paper" and one_of_two,
    )


def options(plan: Tiling, warp_size: int = 32) -> dict[str, int | bool]:
    """How Triton compiles both kernels.

    Fused multiply-adds are asked for whatever a version's default: without, the loops
    have 37 to 51 % more instructions.
    """
    num_warps = max(1, plan.shape.GROUPS * LANES // warp_size)
    return {"num_warps": num_warps, "enable_fp_fusion": True}


def warp_size(tensor: Tensor) -> int:
    """Threads of a warp; where there are 64, it holds two rows of patches."""
    if torch.version.hip and tensor.is_cuda:  # CDNA has 64, RDNA 32
        return torch.cuda.get_device_properties(tensor.device).warp_size
    return 32


def sobel_flags(variant: str, trained: bool) -> tuple[bool, ...]:
    """For which kinds of flow kernels to launch.

    Those that are trained are Sobel filters for one step at most. For others only the
    GPU knows, and asking it would mean to wait.
    """
    return (True, False) if variant == "paper" and not trained else (False,)
