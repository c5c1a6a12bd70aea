"""What the Triton kernels are compiled for."""

from dataclasses import dataclass, field, fields

import triton.language as tl

from ..._common import launch


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "PIXELS", self.ROWS * self.COLS)
        object.__setattr__(self, "QUADS", (self.PIXELS + 3) // 4)
        if not launch.interpreted():
            for name in (f.name for f in fields(self)):
                object.__setattr__(self, name, tl.constexpr(getattr(self, name)))
