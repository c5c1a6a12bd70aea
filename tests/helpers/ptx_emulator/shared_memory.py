"""Shared memory of the blocks that run at a time, with checks of every access."""

import numpy as np

from .arithmetic import UNSIGNED
from .findings import Findings
from .ptx import Kernel
from .races import Accesses, History, granules_of

GARBAGE = 0xCD  # bytes that nobody has written
UNREAD = 0x7FC0DEAD


class SharedMemory:
    """`size` bytes for each block, one block's after another's."""

    def __init__(
        self, size: int, blocks: int, kernel: Kernel, findings: Findings
    ) -> None:
        self.kernel, self.findings, self.size = kernel, findings, size
        self.room = (max(size, 1) + 15) // 16 * 16
        raw = np.full(blocks * self.room, GARBAGE, np.uint8)
        self.views = {width: raw.view(unsigned) for width, unsigned in UNSIGNED.items()}
        self.granule = kernel.shared_granule
        granules = len(raw) // self.granule
        self.history = History(granules, "shared", kernel, findings)

    def load(self, threads, base, offset, width, count, mask, line) -> list:
        """`count` numbers of `width` bytes each, one after another."""
        lanes, at = self._checked(threads, base, offset, width * count, mask, line)
        self._read(threads, lanes, at, width * count, line)
        loaded = []
        for k in range(count):
            unread = UNSIGNED[width](UNREAD & (256**width - 1))
            values = np.full(threads.count, unread)
            values[lanes] = self.views[width][at // width + k]
            loaded.append(values)
        return loaded

    def store(self, threads, base, offset, width, values, mask, line) -> None:
        size = width * len(values)
        lanes, at = self._checked(threads, base, offset, size, mask, line)
        self._write(threads, lanes, at, [value[lanes] for value in values], width, line)

    def load_matrices(
        self, threads, base, offset, count, transposed, mask, line
    ) -> list:
        """ldmatrix: matrices of 8 rows of 16 bytes, whose addresses the lanes give."""
        lanes, rows = self._matrix_rows(threads, base, offset, count, mask, line)
        loaded = []
        for k in range(count):
            values = np.zeros(threads.count, np.uint32)
            for part, at in enumerate(_parts(threads, rows, k, transposed)):
                size = 2 if transposed else 4
                self._read(threads, lanes, at[lanes], size, line)
                piece = self.views[size][at[lanes] // size].astype(np.uint32)
                values[lanes] |= piece << np.uint32(16 * part)
            loaded.append(values)
        return loaded

    def store_matrices(
        self, threads, base, offset, values, transposed, mask, line
    ) -> None:
        """stmatrix: the reverse of ldmatrix."""
        lanes, rows = self._matrix_rows(threads, base, offset, len(values), mask, line)
        for k, value in enumerate(values):
            for part, at in enumerate(_parts(threads, rows, k, transposed)):
                size = 2 if transposed else 4
                piece = value[lanes] >> np.uint32(16 * part)
                piece = piece.astype(UNSIGNED[size])
                self._write(threads, lanes, at[lanes], [piece], size, line)

    def _checked(self, threads, base, offset, size, mask, line):
        """Threads whose accesses are good, and where these lie."""
        lanes = threads.lanes if mask is None else np.flatnonzero(mask)
        at = threads.spread(base)[lanes].astype(np.int64) + offset
        good = self._check_places(at, size, line)
        return lanes[good], at[good] + threads.slots[lanes[good]] * self.room

    def _check_places(self, at, size: int, line: int):
        bad = (at < 0) | (at + size > self.size)
        if bad.any():
            detail = f"{size} bytes at {at[bad][0]} of {self.size}"
            self._add("access out of bounds of shared memory", line, detail, bad.sum())
        misaligned = ~bad & (at % size != 0)
        if misaligned.any():
            detail = f"{size} bytes at {at[misaligned][0]}"
            self._add(
                "misaligned access of shared memory", line, detail, misaligned.sum()
            )
        return ~bad & ~misaligned

    def _matrix_rows(self, threads, base, offset, count, mask, line):
        """Lanes that take part, and where the row lies that each of them names."""
        threads.check_whole_warps(mask, line)
        lanes = threads.lanes if mask is None else np.flatnonzero(mask)
        rows = threads.spread(base).astype(np.int64) + offset
        naming = lanes[threads.warp_lanes[lanes] < 8 * count]
        good = self._check_places(rows[naming], 16, line)
        rows[naming[~good]] = 0
        return lanes, rows + threads.slots * self.room

    def _read(self, threads, lanes, at, size: int, line: int) -> None:
        accesses, _ = self._accesses(threads, lanes, at, size)
        never = self.history.writes.ids[accesses.granules] < 0
        if never.any():
            byte = accesses.granules[never][0] * self.granule % self.room
            kind = "read of shared memory that nobody has written"
            self._add(kind, line, f"byte {byte}", never.sum())
        self.history.read(accesses, threads.block_size, line)

    def _write(self, threads, lanes, at, values, width: int, line: int) -> None:
        accesses, each = self._accesses(threads, lanes, at, width * len(values))
        for k, value in enumerate(values):
            self.views[width][at // width + k] = value
        stored = np.stack(values, 1)
        stored = np.repeat(stored, each // len(values) or 1, axis=1)[:, :each].ravel()
        self.history.write(accesses, threads.block_size, line, stored)

    def _accesses(self, threads, lanes, at, size: int):
        granules, each = granules_of(at, size, self.granule)
        lanes = np.repeat(lanes, each)
        return Accesses(granules, lanes, threads, lanes, threads.block_size), each

    def _add(self, kind: str, line: int, detail: str, count: int) -> None:
        self.findings.add(self.kernel, kind, line, detail, count)


def _parts(threads, rows, matrix: int, transposed: bool) -> list:
    """Where the two 16-bit numbers of each lane lie; together if not transposed."""
    lane = threads.warp_lanes
    first = threads.warp_begins + 8 * matrix
    if not transposed:
        return [rows[first + lane // 4] + 4 * (lane % 4)]
    column = 2 * (lane // 4)
    return [rows[first + 2 * (lane % 4) + i] + column for i in (0, 1)]
