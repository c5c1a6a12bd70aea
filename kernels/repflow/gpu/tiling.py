"""How maps are laid out over the threads of a GPU: patches, programs and tiles."""

import functools
import itertools
import math
from typing import NamedTuple

from torch import Tensor

PLANS = 1024  # that are kept, because making one takes longer than a launch
LANES = 32  # of a row of patches; on GPUs with warps of 64, two rows are in one


class Limits(NamedTuple):
    """What decides between the shapes that hold a map."""

    pixels: int  # of a thread, for its registers
    exchange: float  # cost of the exchange between strips, in rows of pixels


# The most that 255 registers to a thread hold without spills.
FORWARD = Limits(16, 0.12)
BACKWARD = Limits(4, 1.0)


class Shape(NamedTuple):
    """A program's patches; names in capitals are those of patches.Constants."""

    GROUPS: int
    ROWS: int
    COLS: int
    TALL: bool
    EXACT: bool
    maps_per_program: int  # whole maps


@functools.lru_cache(PLANS)
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


class Tiling(NamedTuple):
    """How programs tile maps, for some iterations a launch."""

    shape: Shape
    iterations: int
    halo_before: int  # rows and columns at a tile's begin that its neighbor computes
    halo_after: int  # and at its end
    down: int  # tiles
    across: int
    computed: float  # pixels computed for each that there is
    bytes: float  # moved for each pixel and iteration


# Enough for a map's border in every direction; a thread holds 12 pixels, and 4.
FORWARD_TILE = Shape(8, 6, 2, TALL=True, EXACT=False, maps_per_program=1)
BACKWARD_TILE = Shape(8, 4, 1, TALL=True, EXACT=False, maps_per_program=1)


class Cost(NamedTuple):
    """What the choice of the iterations per launch assumes."""

    halo_before: int  # by how many pixels an iteration moves what is wrong at the begin
    halo_after: int  # and at the end
    edge: int  # pixels that are wrong at the end from the beginning
    pixels_per_second: float  # an H200's vector lanes times clock over instructions
    read: int  # float32 numbers in a launch, for each pixel computed
    written: int  # for each that there is


# Forward, for tvl1 one pixel from either side. For paper two from the begin: u takes p
# of the pixel before, and p takes u of that before it. The image gradient is wrong in
# the outermost pixel, which counts at the end only. Backward, a launch computes its
# states first, and on the way back as much goes wrong again, for paper two pixels from
# the end; the launch that computes its first state reads and writes as well. The keys
# say whether the variant is paper.
FORWARD_COST = {
    False: Cost(1, 1, 1, 3.3e13 / 55, 8, 6),
    True: Cost(2, 1, 1, 3.3e13 / 65, 8, 6),
}
BACKWARD_COST = {
    False: Cost(2, 2, 0, 3.3e13 / 270, 25, 15),
    True: Cost(3, 3, 0, 3.3e13 / 325, 25, 15),
}
BYTES_PER_SECOND = 4.3e12
LAUNCH_SECONDS = 5e-6
MOST_ITERATIONS = 12  # of a launch


def whole_maps(shape: Shape, iterations: int) -> Tiling:
    """Whole maps in a program."""
    return Tiling(shape, iterations, 0, 0, 1, 1, 1, 0)


def tile(h: int, w: int, shape: Shape, iterations: int, cost: Cost) -> Tiling | None:
    """Tiles for so many iterations; None where nothing right would be left."""
    height, width = shape.GROUPS * shape.ROWS, LANES * shape.COLS
    before = iterations * cost.halo_before
    after = iterations * cost.halo_after + cost.edge
    shared = before + after
    if (h > height and shared >= height) or (w > width and shared >= width):
        return None
    down = 1 if h <= height else math.ceil((h - shared) / (height - shared))
    across = 1 if w <= width else math.ceil((w - shared) / (width - shared))
    computed = down * across * height * width / (h * w)
    moved = 4 * (cost.read * computed + cost.written) / iterations
    return Tiling(shape, iterations, before, after, down, across, computed, moved)


@functools.lru_cache(PLANS)
def plan_tiling(
    h: int, w: int, maps: int, n_iters: int, shape: Shape, cost: Cost, most: int
) -> Tiling:
    """The iterations per launch, at most so many, that should be fastest for maps."""

    def seconds(plan: Tiling) -> float:
        compute = plan.computed / cost.pixels_per_second
        pixel = max(compute, plan.bytes / BYTES_PER_SECOND)
        launches = math.ceil(n_iters / plan.iterations)
        return pixel * n_iters * maps * h * w + launches * LAUNCH_SECONDS

    choices = range(1, min(n_iters, most) + 1)
    plans = (tile(h, w, shape, iterations, cost) for iterations in choices)
    return min((plan for plan in plans if plan), key=seconds)


def plan_forward(x: Tensor, n_iters: int, paper: bool) -> Tiling:
    """For the way forward over frames x (N, C, T, H, W)."""
    n, c, t, h, w = x.shape
    shape = fit_whole_maps(h, w, n * (t - 1), FORWARD)
    if shape is not None:
        return whole_maps(shape, n_iters)
    cost, maps = FORWARD_COST[paper], n * c * (t - 1)
    return plan_tiling(h, w, maps, n_iters, FORWARD_TILE, cost, MOST_ITERATIONS)


def plan_backward(x: Tensor, n_iters: int, paper: bool) -> tuple[Tiling, Tiling]:
    """For the way back, and for the states that its launches begin with."""
    n, c, t, h, w = x.shape
    shape = fit_whole_maps(h, w, n * (t // 2), BACKWARD)
    if shape is not None:
        plan = whole_maps(shape, n_iters)
        return plan, plan
    cost, maps = BACKWARD_COST[paper], n * c * (t - 1)
    plan = plan_tiling(h, w, maps, n_iters, BACKWARD_TILE, cost, MOST_ITERATIONS)
    shape = fit_whole_maps(h, w, n * (t - 1), FORWARD)
    if shape is not None:
        return plan, whole_maps(shape, plan.iterations)
    return plan, tile(h, w, FORWARD_TILE, plan.iterations, FORWARD_COST[paper])


def segments_of(n_iters: int) -> tuple[int, int]:
    """Iterations whose states are kept at a time, and how many such segments."""
    segment = math.ceil(math.sqrt(n_iters))
    return segment, math.ceil(n_iters / segment)
