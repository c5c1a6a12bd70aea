"""Which accesses to memory have nothing between them that orders them."""

import numpy as np

from .findings import Findings
from .ptx import Kernel


class Accesses:
    """Granules of memory that threads access in one instruction, one to an element."""

    def __init__(self, granules, ids, threads, lanes, block_size: int) -> None:
        self.granules, self.ids = granules, ids
        self.blocks, self.warps = ids // block_size, ids // 32
        self.barriers = threads.barriers[lanes]
        self.synchronizations = threads.synchronizations[lanes]


class _Last:
    """The last access of a kind to each granule: by whom, and after which barriers."""

    def __init__(self, granules: int) -> None:
        self.ids = np.full(granules, -1, np.int32)
        self.barriers = np.zeros(granules, np.int32)
        self.synchronizations = np.zeros(granules, np.int32)

    def record(self, a: Accesses) -> None:
        self.ids[a.granules] = a.ids
        self.barriers[a.granules] = a.barriers
        self.synchronizations[a.granules] = a.synchronizations

    def unordered(self, a: Accesses, block_size: int):
        """Masks of accesses that nothing orders after these: of threads of other
        blocks, of other warps of the block, of other threads of the warp."""
        ids = self.ids[a.granules]
        there = ids >= 0
        block = there & (ids // block_size == a.blocks)
        warp = there & (ids // 32 == a.warps)
        since_barrier = self.barriers[a.granules] == a.barriers
        since = self.synchronizations[a.granules] == a.synchronizations
        return (
            there & ~block,
            block & ~warp & since_barrier,
            warp & (ids != a.ids) & since,
        )


class History:
    """Last writer and last readers of the granules of a memory.

    A barrier orders accesses of a block, a barrier of a warp and a shuffle those of a
    warp; nothing orders those of two blocks. Of readers, the last one is kept, and
    whether there were others that a later write would race with.
    """

    BETWEEN = "between blocks", "between warps", "within a warp"

    def __init__(self, granules: int, space: str, kernel: Kernel, findings: Findings):
        self.space, self.kernel, self.findings = space, kernel, findings
        self.writes, self.reads = _Last(granules), _Last(granules)
        # Readers besides the last one, in other blocks, other warps, the same warp.
        self.others = [np.zeros(granules, bool) for _ in range(3)]

    def read(self, a: Accesses, block_size: int, line: int) -> None:
        found = self.writes.unordered(a, block_size)
        self._report("read after write", found, self.writes, a, line)
        g = a.granules
        before = self.reads.ids[g]
        block = (before >= 0) & (before // block_size == a.blocks)
        since_barrier = block & (self.reads.barriers[g] == a.barriers)
        since = since_barrier & (self.reads.synchronizations[g] == a.synchronizations)
        of_block, of_warp, of_thread = (others[g] for others in self.others)
        self.reads.record(a)
        last = self.reads.ids[g]
        same_block = last // block_size == a.blocks
        new = (
            of_block | (before >= 0) & ~block | ~same_block,
            since_barrier & (of_warp | (before // 32 != a.warps))
            | same_block & (last // 32 != a.warps),
            since & (of_thread | (before != a.ids)) | same_block & (last != a.ids),
        )
        for others, mask in zip(self.others, new, strict=True):
            others[g] = False  # of all threads that read the granule now, one decides
            others[g[mask]] = True

    def write(self, a: Accesses, block_size: int, line: int, values) -> None:
        found = self.writes.unordered(a, block_size)
        self._report("write after write", found, self.writes, a, line)
        g = a.granules
        ids = self.reads.ids[g]
        block = (ids >= 0) & (ids // block_size == a.blocks)
        warp = block & (ids // 32 == a.warps)
        since_barrier = self.reads.barriers[g] == a.barriers
        since = self.reads.synchronizations[g] == a.synchronizations
        of_block, of_warp, of_thread = (others[g] for others in self.others)
        found = (
            (ids >= 0) & (~block | of_block),
            block & since_barrier & (~warp | of_warp),
            warp & since & ((ids != a.ids) | of_thread),
        )
        self._report("write after read", found, self.reads, a, line)
        self.writes.record(a)
        last = self.writes.ids[g]
        together = last // block_size != a.blocks
        found = together, np.zeros_like(together), np.zeros_like(together)
        self._report("write after write", found, self.writes, a, line)
        if (last != a.ids).any():
            self._compare_values(g, values, line)

    def _report(self, what, found, last: _Last, a: Accesses, line: int) -> None:
        for between, mask in zip(self.BETWEEN, found, strict=True):
            if mask.any():
                k = np.flatnonzero(mask)[0]
                other = last.ids[a.granules[k]]
                self.findings.add(
                    self.kernel,
                    f"race in {self.space} memory, {what} {between}",
                    line,
                    f"threads {other} and {a.ids[k]}, granule {a.granules[k]}",
                    mask.sum(),
                )

    def _compare_values(self, granules, values, line: int) -> None:
        """One store may write a granule several times, if always the same."""
        order = np.argsort(granules, kind="stable")
        granules, values = granules[order], values[order]
        differ = (granules[1:] == granules[:-1]) & (values[1:] != values[:-1])
        if differ.any():
            kind = f"race in {self.space} memory, different values in one store"
            self.findings.add(self.kernel, kind, line, count=differ.sum())


def granules_of(offsets, size: int, granule: int):
    """Granules of accesses of so many bytes each: (accesses x granules), and how many
    an access has."""
    each = max(1, size // granule)
    return (offsets[:, None] // granule + np.arange(each)).ravel(), each
