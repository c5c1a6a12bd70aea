"""What this CPU allows representation flow's iterations at best, and what they reach.

    python benchmarks/cpu_bounds.py

For x86-64; needs llvm-mca of LLVM 16 or later on the PATH (Debian and Ubuntu: apt
install llvm, or a package like llvm-19, which is in /usr/lib/llvm-19/bin): 14 takes Zen
4 for Zen 3, and believes that it begins half of its multiply-adds. The rows' inner
loops are found in Numba's machine code by their multiply-adds and stores. llvm-mca says
how many clocks the processor's ports, its divider included, need for each (``ports``:
no order of the instructions is faster), and how many a simulated pipeline takes in
which nothing waits for memory (``pipeline``). ``cache`` is the time to bring the fields
that an iteration reads and writes from and to the second-level cache once, at the speed
measured here. The bound is the larger one of ports and cache. All in clocks for LANES
pixels and an iteration. Measured are whole calls of one thread: packing, coefficients
and states computed again are included. Writes benchmarks/results/cpu_bounds.{json,md}.
"""

import argparse
import importlib
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import timing
import torch
from numba import njit, typeof
from repflow_inputs import make_maps, make_parameters

from flowzoo_kernels import representation_flow
from flowzoo_kernels._common.simd import LANES, vload, vstore
from flowzoo_kernels.repflow import cpu
from flowzoo_kernels.repflow.recompute_schedule import ADVANCE, schedule
from flowzoo_kernels.repflow.reference import default_kernels

layout, forward, backward = (
    importlib.import_module(f"{cpu.__name__}.{name}")
    for name in ("layout", "forward", "iteration_backward")
)
F32, ITERATIONS = np.float32, 20
LEARNED = "div_kernel", "theta", "lam", "tau"  # the module's default


class Loop(NamedTuple):
    """The loop of a row, by its multiply-adds and stores for each vector, and how often
    an iteration runs it."""

    row: str
    multiply_adds: int
    stores: int
    times: int = 1


class Iteration(NamedTuple):
    """The loops of an iteration, and how many fields it reads and writes."""

    loops: tuple[Loop, ...]
    fields: int


# Forward reads u, p, rho, its gradient and its square, and writes u and p. Backward
# reads u and p before the iteration and u and p after it, rho, its gradient and square,
# the gradients of u, p, rho and its gradient; it writes the latter.
FORWARD, BACKWARD = 16, 34
_U_ROW = Loop("u_row", 12, 2)
_BOTH_BACKWARD = (  # whatever the variant
    Loop("old_u_row", 11, 5),
    Loop("old_p_row", 4, 2, 2),
    Loop("div_kernel_grads_row", 4, 0, 2),
)
_TVL1_BACKWARD = Loop("p_row_tvl1_backward", 12, 4, 2), Loop("new_u_row", 4, 1, 2)
_SOBEL_BACKWARD = Loop("p_row_sobel_backward", 12, 4, 2), Loop("new_u_row", 1, 1, 2)
ITERATION = {
    ("tvl1", "forward"): Iteration((_U_ROW, Loop("p_row_tvl1", 12, 4)), FORWARD),
    ("paper", "forward"): Iteration((_U_ROW, Loop("p_row_sobel", 14, 4)), FORWARD),
    ("tvl1", "backward"): Iteration(_TVL1_BACKWARD + _BOTH_BACKWARD, BACKWARD),
    ("paper", "backward"): Iteration(_SOBEL_BACKWARD + _BOTH_BACKWARD, BACKWARD),
}


def compiled_rows() -> dict[str, list[str]]:
    """Name of a row's function to the innermost loops of its machine code."""
    grid = layout.make_grid(4, 4)
    s, w, sums = np.zeros(50 * grid.plane, F32), np.zeros(400, F32), np.zeros(400)
    old = new = 0
    y, step = 1, F32(0.1)
    scheme = layout.Scheme(step, step, False, False)
    arguments = {
        "u_row": (s, w, old, new, y, grid, step),
        "p_row_tvl1": (s, w, old, new, y, grid, step),
        "p_row_sobel": (s, w, old, new, y, grid, step),
        "p_row_tvl1_backward": (s, w, new, y, grid, step, sums),
        "p_row_sobel_backward": (s, w, new, y, grid, step, sums),
        "new_u_row": (s, w, y, grid, scheme, False),
        "old_u_row": (s, old, y, grid, step, True, sums),
        "old_p_row": (s, w, y, grid),
        "div_kernel_grads_row": (s, old, y, grid, sums),
    }
    loops = {}
    for name, args in arguments.items():
        function = getattr(forward, name, None) or getattr(backward, name)
        signature = tuple(map(typeof, args))
        function.compile(signature)
        loops[name] = innermost_loops(function.inspect_asm(signature))
    return loops


def innermost_loops(assembly: str) -> list[list[str]]:
    """The instructions of each."""
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


class Model(NamedTuple):
    """What llvm-mca takes this processor for, and the version of its LLVM."""

    processor: str
    llvm: str


def model() -> Model:
    version = subprocess.run(
        ["llvm-mca", "--version"], capture_output=True, text=True, check=True
    ).stdout
    llvm = re.search(r"LLVM version (\S+)", version)[1]
    return Model(re.search(r"Host CPU: (\S+)", version)[1], llvm)


def check_version(llvm: str) -> None:
    """Stop where bounds would be too high, and fractions flatter the kernels."""
    if int(llvm.split(".")[0]) < 16:
        raise SystemExit(
            f"llvm-mca is of LLVM {llvm}, whose models of newer processors are wrong; "
            f"16 or later is needed: apt install llvm-19, PATH=/usr/lib/llvm-19/bin:"
            f"$PATH"
        )


def cost_of(loop: Loop, bodies: list[list[str]]) -> dict[str, float]:
    """Instructions and clocks for a vector, of the loop's shortest version."""
    found = []
    for body in bodies:
        multiply_adds = sum(line.startswith(("vfm", "vfnm")) for line in body)
        stores = sum(bool(re.match(r"vmov\w+\s+%[xyz]mm\d+, .*\(", x)) for x in body)
        unrolled, rest = divmod(multiply_adds, loop.multiply_adds)
        if unrolled and not rest and stores == unrolled * loop.stores:
            found.append((len(body) / unrolled, unrolled, body))
    if not found:
        raise LookupError(f"no loop of {loop.row} looks as expected")
    instructions, unrolled, body = min(found)
    command = ["llvm-mca", f"-mcpu={model().processor}", "-iterations=100"]
    text = "\n".join(body)
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=True
    )
    ports = re.search(r"Block RThroughput:\s+([\d.]+)", done.stdout)[1]
    cycles = re.search(r"Total Cycles:\s+(\d+)", done.stdout)[1]
    return {
        "instructions": instructions,
        "ports": float(ports) / unrolled,
        "pipeline": int(cycles) / 100 / unrolled,
    }


# Not plain numbers: an unsigned one and a signed one make a float64 for Numba.
_A, _B, _C = np.uint64(13), np.uint64(7), np.uint64(17)


@njit
def _chain(x, n):
    """n times three shifts and three exclusive ors, of one clock each, in a row."""
    for _ in range(n):
        x ^= x << _A
        x ^= x >> _B
        x ^= x << _C
    return x


@njit
def _scale(s, half, rounds):
    """Read one half of s and write the other, vector by vector."""
    for _ in range(rounds):
        for i in range(0, half, LANES):
            vstore(s, half + i, vload(s, i) * s.dtype.type(0.5))


def best_seconds(function: Callable, *arguments) -> float:
    """The processor's, of the fastest of 25 calls; one before them may compile."""
    function(*arguments)
    times = []
    for _ in range(25):
        start = time.process_time()
        function(*arguments)
        times.append(time.process_time() - start)
    return min(times)


def machine() -> dict[str, float]:
    """Clock, and bytes per clock from and to the second-level cache."""
    n = 1_000_000
    clock = 6 * n / best_seconds(_chain, np.uint64(1), n)
    half = 1 << 15  # 256 KiB in all: beyond the first level, within the second
    seconds = best_seconds(_scale, np.zeros(2 * half, F32), half, 50)
    return {
        "clock hz": clock,
        "cache bytes per clock": 50 * 2 * 4 * half / seconds / clock,
    }


def calls(variant: str, size: int) -> tuple[dict[str, Callable], dict[str, float]]:
    """Forward and training calls; the iterations and vectors that each computes."""
    shape = max(1, 4 * 14 * 14 // size**2), 32, 16, size, size
    torch.manual_seed(0)
    x = make_maps(shape).float()
    parameters = make_parameters(variant, shape[1])
    # Sobel's filters of `paper`, as the module begins
    parameters["flow_kernel"] = default_kernels(variant, shape[1])[1]
    leaves = [x.requires_grad_(), *(parameters[k].requires_grad_() for k in LEARNED)]
    grad = torch.randn(shape[0], 64, 15, size, size)

    def run():
        return representation_flow(x, *parameters.values(), ITERATIONS, variant, "cpu")

    def infer():
        with torch.no_grad():
            run()

    def train():
        torch.autograd.grad(run(), leaves, grad)

    states = cpu.kept_states(np.dtype(F32), size, size)
    again = sum(step[0] == ADVANCE for step in schedule(ITERATIONS, states))
    vectors = shape[0] * shape[1] * 15 * size**2 / LANES
    counts = {
        "forward": (ITERATIONS, 0),
        "with backward": (ITERATIONS + again, ITERATIONS),
    }
    return {"forward": infer, "with backward": train}, {
        key: (vectors, *count) for key, count in counts.items()
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="14,28", help="of square maps")
    sizes = [int(size) for size in parser.parse_args().sizes.split(",")]
    if not shutil.which("llvm-mca"):
        raise SystemExit("llvm-mca is not here. Debian and Ubuntu: apt install llvm")
    processor, llvm = model()
    check_version(llvm)
    torch.set_num_threads(1)
    limits, rows = machine(), compiled_rows()
    clocks = {}
    for key, iteration in ITERATION.items():
        costs = {k: cost_of(k, rows[k.row]) for k in iteration.loops}
        clocks[key] = {
            name: sum(loop.times * cost[name] for loop, cost in costs.items())
            for name in ("instructions", "ports", "pipeline")
        }
        moved = iteration.fields * 4 * LANES
        clocks[key]["cache"] = moved / limits["cache bytes per clock"]
    table = []
    for variant in ("tvl1", "paper"):
        for size in sizes:
            functions, counts = calls(variant, size)
            for name, function in functions.items():
                vectors, ahead, back = counts[name]
                row = {"variant": variant, "maps": f"{size} x {size}", "pass": name}
                for key in ("instructions", "ports", "pipeline", "cache"):
                    total = ahead * clocks[variant, "forward"][key]
                    total += back * clocks[variant, "backward"][key]
                    row[key] = round(total / ITERATIONS, 1)
                clock = limits["clock hz"] * best_seconds(function)
                row["measured"] = round(clock / vectors / ITERATIONS, 1)
                bound = max(row["ports"], row["cache"])
                row["fraction"] = round(bound / row["measured"], 2)
                table.append(row)
                print(row, flush=True)
    iterations = {" ".join(key): value for key, value in clocks.items()}
    record = {
        **timing.environment("cpu"),
        "machine": limits | {"model of llvm-mca": processor, "LLVM": llvm},
        "clocks of an iteration": iterations,
        "calls": table,
    }
    target = timing.OUTPUT / "cpu_bounds.json"
    timing.write(target, record)
    lines = ["| " + " | ".join(table[0]) + " |", "| --- " * len(table[0]) + "|"]
    lines += ["| " + " | ".join(map(str, row.values())) + " |" for row in table]
    target.with_suffix(".md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
