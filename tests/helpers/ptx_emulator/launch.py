"""One launch of a kernel: its grid, a part of the blocks at a time."""

import math

import numpy as np
from torch import Tensor

from .findings import Findings
from .global_memory import GlobalMemory
from .program import Program
from .scheduler import Scheduler
from .threads import Threads

THREADS = 32768  # at most at a time


def launch(
    program: Program,
    grid: tuple[int, int, int],
    arguments: dict[str, Tensor | int | float],
    shared_size: int,
    findings: Findings,
    seed: int | None = None,
) -> None:
    """Run the kernel on CPU tensors, and add what is wrong to findings.

    shared_size: bytes of shared memory of a block. seed: of a random order of blocks
    and warps, and of the errors of approximate instructions; None runs them in order,
    and rounds.
    """
    kernel = program.kernel
    tensors = {n: v for n, v in arguments.items() if isinstance(v, Tensor)}
    memory = GlobalMemory(tensors, kernel, findings)
    # Parameters that Triton adds are pointers to memory that our kernels do not use.
    values = [memory.addresses.get(name, value) for name, value in arguments.items()]
    values += [0] * (kernel.parameters - len(values))
    blocks = np.arange(math.prod(grid))
    rng = None
    if seed is not None:
        rng = np.random.default_rng(seed)
        rng.shuffle(blocks)
    together = max(1, THREADS // kernel.threads)
    with np.errstate(all="ignore"):
        for begin in range(0, len(blocks), together):
            part = blocks[begin : begin + together]
            threads = Threads(
                kernel, grid, part, values, memory, shared_size, findings, rng
            )
            Scheduler(program, threads).run()
