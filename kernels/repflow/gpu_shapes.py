"""How maps are laid out over the threads of a GPU: patches, programs and windows."""

import itertools
import math
from typing import NamedTuple

LANES = 32  # of a row of patches; on GPUs with warps of 64, two rows are in one


class Limits(NamedTuple):
    """What decides between the shapes that hold a map."""

    pixels: int  # of a thread, for its registers
    exchange: float  # cost of the exchange between strips, in rows of pixels


# The most that 255 registers to a thread hold without spills.
FORWARD = Limits(16, 0.12)
BACKWARD = Limits(4, 1.0)


class Shape(NamedTuple):
    """A program's patches; the names are those of the kernels' arguments."""

    GROUPS: int
    ROWS: int
    COLS: int
    TALL: bool
    EXACT: bool
    maps: int  # whole maps in a program


def fit_whole_maps(h: int, w: int, pairs: int, limits: Limits) -> Shape | None:
    """The shape that wastes least; None where a program cannot hold a map."""
    best, best_cost = None, math.inf
    for groups, cols in itertools.product((1, 2, 4, 8), (1, 2)):
        lanes = math.ceil(w / cols)
        if lanes > LANES:
            continue
        slots = LANES // lanes
        for rows in range(1, min(h, limits.pixels // cols) + 1):
            strips = math.ceil(h / rows)
            tall = strips > slots
            if tall:
                maps = groups // strips * slots
            else:
                maps = groups * (slots // strips)
            if maps < 1 or (not tall and groups not in (1, 4)):
                continue
            maps = min(maps, pairs)
            # Pixels that threads work on for each that there is; the exchange between
            # strips; fewer resident threads where each holds more; and a program
            # larger than it need be.
            cost = LANES * groups * rows * cols / (maps * h * w)
            if strips > 1:
                cost *= 1 + limits.exchange * (1 if tall else 0.5) / rows
            cost *= 1 + 0.15 * (rows * cols > 8) + 0.002 * groups
            exact = h % rows == 0 and w % cols == 0
            cost *= 1 if exact else 1.05
            if cost < best_cost:
                best = Shape(groups, rows, cols, tall, exact, maps)
                best_cost = cost
    return best


class Windows(NamedTuple):
    """How maps too large for a program are covered, for some iterations a launch."""

    iterations: int
    before: int  # rows and columns at a window's begin that its neighbour computes
    after: int  # and at its end
    down: int  # windows
    across: int
    computed: float  # pixels computed for each that there is
    bytes: float  # moved for each pixel and iteration


# Enough for a map's border in every direction; a thread holds 12 pixels.
WINDOW = Shape(GROUPS=8, ROWS=6, COLS=2, TALL=True, EXACT=False, maps=1)
# What the choice of the iterations per launch assumes: an H200's vector lanes times
# clock over the instructions of a pixel's iteration, and its bandwidth.
PIXELS_PER_SECOND = {False: 3.3e13 / 55, True: 3.3e13 / 65}
BYTES_PER_SECOND = 4.3e12
LAUNCH_SECONDS = 5e-6


def plan_windows(h: int, w: int, maps: int, n_iters: int, paper: bool) -> Windows:
    """The iterations per launch that should be fastest for so many maps.

    In an iteration, what is wrong at a window's edge moves inwards: for tvl1 one pixel
    from either side, for paper two from the begin (u takes p of the pixel before, and
    p takes u of that before it) and one from the end. The image gradient is wrong in
    the outermost pixel from the beginning, which counts at the end only.
    """
    height, width = WINDOW.GROUPS * WINDOW.ROWS, LANES * WINDOW.COLS
    best, best_time = None, math.inf
    for iterations in range(1, min(n_iters, 12) + 1):
        before, after = iterations * (2 if paper else 1), iterations + 1
        shared = before + after
        if (h > height and shared >= height) or (w > width and shared >= width):
            break
        down = 1 if h <= height else math.ceil((h - shared) / (height - shared))
        across = 1 if w <= width else math.ceil((w - shared) / (width - shared))
        computed = down * across * height * width / (h * w)
        # F1, F2 and the state are read, the state is written, in float32.
        moved = 4 * (8 * computed + 6) / iterations
        time = max(computed / PIXELS_PER_SECOND[paper], moved / BYTES_PER_SECOND)
        launches = math.ceil(n_iters / iterations)
        time = time * n_iters * maps * h * w + launches * LAUNCH_SECONDS
        if time < best_time:
            best = Windows(iterations, before, after, down, across, computed, moved)
            best_time = time
    return best
