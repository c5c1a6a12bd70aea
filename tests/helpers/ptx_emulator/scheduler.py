"""In which order threads run the blocks of instructions."""

import numpy as np

from .program import Program
from .threads import Threads

EXITED = 1 << 30  # instead of the block where a thread is


class Scheduler:
    """Runs threads to the end.

    Threads that are at the same basic block run it together; of several such blocks
    the first one is taken, so that threads meet again after a branch. With a random
    order, one warp of each block of threads runs at a time, up to the next barrier.
    """

    def __init__(self, program: Program, threads: Threads) -> None:
        self.program, self.threads = program, threads
        self.blocks = program.kernel.blocks
        self.at = np.zeros(threads.count, np.int64)  # basic blocks
        self.waiting = np.zeros(threads.count, bool)
        self._draw_order()

    def run(self) -> None:
        while (self.at != EXITED).any():
            ready = (self.at != EXITED) & ~self.waiting
            if not ready.any():
                self._release()
                continue
            if self.order is not None:
                ready = self._first_warps(ready)
            block = int(self.at[ready].min())
            active = ready & (self.at == block)
            self.program.run_block(
                block, self.threads, None if active.all() else active
            )
            self._advance(block, active)

    def _advance(self, index: int, active) -> None:
        block, end = self.blocks[index], self.blocks[index].end
        if end is None:
            self.at[active] = block.following
            return
        taken = active
        if end.predicate is not None:
            guard = self.threads.registers["p"][end.predicate]
            taken = active & (guard ^ end.negated)
        self.at[active] = block.following
        if end.is_barrier:
            self.waiting |= taken
        else:
            self.at[taken] = block.target if end.opcode == "bra" else EXITED

    def _release(self) -> None:
        """Every thread waits at a barrier, or has left."""
        size = self.threads.block_size
        at, waiting = self.at.reshape(-1, size), self.waiting.reshape(-1, size)
        last = np.where(waiting, at, -1).max(1, keepdims=True)
        for kind, bad in (
            ("threads at different barriers", waiting & (at != last)),
            (
                "barrier that some threads do not reach",
                waiting & ~waiting.all(1, keepdims=True),
            ),
        ):
            if bad.any():
                after = int(at[bad][0])
                line = next(
                    b.end.line
                    for b in self.blocks
                    if b.end and b.end.is_barrier and b.following == after
                )
                self.threads.findings.add(
                    self.program.kernel, kind, line, count=bad.sum()
                )
        self.waiting[:] = False
        self.threads.pass_barrier()
        self._draw_order()

    def _draw_order(self) -> None:
        """Of the warps of each block up to the next barrier."""
        rng = self.threads.rng
        self.order = None
        if rng is not None:
            warps = self.threads.block_size // 32
            drawn = rng.random((self.threads.count // self.threads.block_size, warps))
            self.order = np.argsort(drawn, 1)

    def _first_warps(self, ready):
        """Those threads that belong to the first warp of their block."""
        warps = ready.reshape(*self.order.shape, 32).any(2)
        rank = np.where(warps, self.order, warps.shape[1])
        first = (rank == rank.min(1, keepdims=True)) & warps
        return ready & np.repeat(first.ravel(), 32)
