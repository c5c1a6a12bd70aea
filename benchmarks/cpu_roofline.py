"""What this CPU would allow the representation-flow kernels, at best.

Instructions are counted in the machine code that Numba made of the rows' inner loops,
found by their number of fused multiply-adds. The clock, the memory's speed and what a
square root and a division cost together are measured, here and now. x86-64 with AVX
only. A core issues ``ISSUE_WIDTH`` instructions per clock (6: AMD Zen 3 and 4, Intel
Golden Cove).
"""

import re
import time
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from numba import njit

from flowzoo_kernels._common.simd import JIT, LANES, vload, vsqrt, vstore
from flowzoo_kernels.repflow import cpu
from flowzoo_kernels.repflow.cpu.forward import p_row_paper, p_row_tvl1, u_row
from flowzoo_kernels.repflow.cpu.iteration_backward import (
    div_kernel_grads_row,
    new_u_row,
    old_p_row,
    old_u_row,
    p_row_paper_backward,
    p_row_tvl1_backward,
)
from flowzoo_kernels.repflow.cpu.layout import make_grid
from flowzoo_kernels.repflow.recompute_schedule import ADVANCE, schedule

ISSUE_WIDTH = 6
F32 = np.float32


@cache  # the second time, the assembly is that of code changed by the first
def instructions_of(function: Callable, multiply_adds: int) -> float:
    """Per vector, in the innermost loop that has so many multiply-adds for each."""
    found = []
    for assembly in function.inspect_asm().values():
        for body in innermost_loops(assembly):
            count = sum(bool(re.match(r"vfn?m", line)) for line in body)
            if count and count % multiply_adds == 0:
                found.append(len(body) * multiply_adds / count)
    if not found:
        raise LookupError(f"no loop of {function.__name__} looks as expected")
    return min(found)


def innermost_loops(assembly: str) -> list[list[str]]:
    lines = [line.strip() for line in assembly.splitlines()]
    labels, loops = {}, []
    for i, line in enumerate(lines):
        if label := re.match(r"(\.LBB\w+):", line):
            labels[label[1]] = i
        elif (jump := re.match(r"j\w+\s+(\.LBB\w+)", line)) and jump[1] in labels:
            loops.append((labels[jump[1]], i))
    inner = [
        (a, b)
        for a, b in loops
        if not any(a <= c and d <= b and (a, b) != (c, d) for c, d in loops)
    ]
    return [
        [line for line in lines[a : b + 1] if re.match(r"[a-z]", line)]
        for a, b in inner
    ]


def instructions(variant: str) -> dict[str, float]:
    """Per vector of LANES pixels and iteration, forward and backward."""
    grid = make_grid(4, 4)
    s, w, sums = np.zeros(50 * grid.plane, F32), np.zeros(400, F32), np.zeros(400)
    step, paper = F32(0.1), variant == "paper"
    old, new, y = 0, 0, 1
    u, p = u_row, p_row_paper if paper else p_row_tvl1
    p_back = p_row_paper_backward if paper else p_row_tvl1_backward
    u(s, w, old, new, y, grid, step)
    p(s, w, old, new, y, grid, step)
    p_back(s, w, new, y, grid, step, sums)
    new_u_row(s, w, y, grid, paper, False)
    old_u_row(s, old, y, grid, step, True, sums)
    old_p_row(s, w, y, grid)
    div_kernel_grads_row(s, old, y, grid, sums)
    forward = instructions_of(u, 12) + 2 * instructions_of(p, 21 if paper else 7)
    # the module's default groups: maps, divergence, theta, lam and tau
    backward = (
        2 * instructions_of(p_back, 26 if paper else 12)
        + 2 * instructions_of(new_u_row, 18 if paper else 4)
        + instructions_of(old_u_row, 11)
        + 2 * instructions_of(old_p_row, 4)
        + 2 * instructions_of(div_kernel_grads_row, 4)
    )
    return {"forward": forward, "backward": backward}


@njit
def _multiply_add_chain(x, n):
    for _ in range(n):
        x = x * 6364136223846793005 + 1442695040888963407
    return x


@njit(**JIT)
def _roots(s, n):
    one = s.dtype.type(1)
    for _ in range(n):
        for i in range(0, 128, LANES):
            vstore(s, i, one / (one + vsqrt(vload(s, i))))


def _seconds(function: Callable, *arguments) -> float:
    function(*arguments)
    times = []
    for _ in range(9):
        start = time.perf_counter()
        function(*arguments)
        times.append(time.perf_counter() - start)
    return min(times)


def machine() -> dict[str, float]:
    """Clock (Hz), bytes per second of all threads, seconds of a root and a division."""
    n = 1_000_000
    # A chain of a multiplication (3 clocks) and an addition (1).
    clock = 4 * n / _seconds(_multiply_add_chain, np.uint64(1), n)
    roots = _seconds(_roots, np.ones(128, F32), n // 16) / n
    source = torch.ones(64 << 20)
    copy = _seconds(torch.empty_like(source).copy_, source)
    return {
        "clock hz": clock,
        "bytes per second": 2 * 4 * source.numel() / copy,
        "seconds of a vector's square root and division": roots,
    }


def roofline(row: dict, limits: dict[str, float]) -> dict:
    """Instructions, bytes, the seconds that each allows, and the fraction reached."""
    n, c, t, h, w = row["shape"]
    threads, n_iters = row["threads"], row["n_iters"]
    counted = instructions(row["variant"])
    states = cpu.kept_states(np.dtype(F32), h, w)
    again = sum(step[0] == ADVANCE for step in schedule(n_iters, states))
    vectors = n * c * (t - 1) * h * w / LANES
    maps, flows = 4 * n * c * t * h * w, 8 * n * c * (t - 1) * h * w
    result = {"machine": limits}
    for step, forward, backward, moved in (
        ("forward", n_iters, 0, maps + flows),
        ("train", n_iters + again, n_iters, 3 * maps + 2 * flows),
    ):
        work = forward * counted["forward"] + backward * counted["backward"]
        roots = 2 * (forward + backward)
        seconds = {
            "instructions": vectors
            * work
            / (ISSUE_WIDTH * limits["clock hz"] * threads),
            "roots": vectors
            * roots
            * limits["seconds of a vector's square root and division"]
            / threads,
            "memory": moved / limits["bytes per second"],
        }
        result[step] = {
            "instructions per pixel and iteration": work / LANES / n_iters,
            "bytes": moved,
            "seconds allowed by": seconds,
            "fraction reached": max(seconds.values()) / row[step]["fused"]["median"],
        }
    return result
