"""The threads of the blocks that run at a time: registers, warps, parameters."""

import struct

import numpy as np

from .arithmetic import UNSIGNED, quotient_and_remainder
from .emitter import REGISTER_BITS, TYPES, bits_of_type
from .findings import Findings
from .global_memory import GlobalMemory
from .ptx import Kernel
from .shared_memory import SharedMemory

UNWRITTEN = 0x7FF8DEAD7FC0DEAD  # NaN in every type; registers that nobody has written
ERROR = 2.0**-22  # of approximate instructions, relative


class Threads:
    """Blocks of a launch, thread after thread in one array for each register.

    blocks: their numbers in the grid. barriers and synchronizations count, for each
    thread, the barriers of its block and of its warp that it has passed.
    """

    def __init__(
        self,
        kernel: Kernel,
        grid: tuple[int, int, int],
        blocks,
        parameters: list,
        global_memory: GlobalMemory,
        shared_size: int,
        findings: Findings,
        rng: np.random.Generator | None,
    ) -> None:
        self.kernel, self.findings, self.rng = kernel, findings, rng
        self._parameters, self.global_memory = parameters, global_memory
        self.block_size = kernel.threads
        self.count = len(blocks) * self.block_size
        self.shared_memory = SharedMemory(shared_size, len(blocks), kernel, findings)
        self.lanes = np.arange(self.count)
        self.slots = self.lanes // self.block_size  # of a block among those that run
        self.warp_lanes = self.lanes % 32
        self.warp_begins = self.lanes - self.warp_lanes
        block, thread = blocks[self.slots], self.lanes % self.block_size
        self.ids = (block * self.block_size + thread).astype(np.int32)
        self.barriers = np.zeros(self.count, np.int32)
        self.synchronizations = np.zeros(self.count, np.int32)
        self.special = self._special_registers(grid, block, thread)
        self.registers = {}
        for kind, bits in REGISTER_BITS.items():
            value = False if bits == 1 else TYPES[f"u{bits}"](UNWRITTEN % 2**bits)
            count = kernel.registers.get(kind, 0)
            self.registers[kind] = [np.full(self.count, value)] * count

    def _special_registers(self, grid, block, thread) -> dict:
        x, y, z = grid
        numbers = {
            "%tid.x": thread,
            "%ntid.x": self.block_size,
            "%laneid": thread % 32,
            "%warpid": thread // 32,
            "%ctaid.x": block % x,
            "%ctaid.y": block // x % y,
            "%ctaid.z": block // (x * y),
            "%nctaid.x": x,
            "%nctaid.y": y,
            "%nctaid.z": z,
        }
        return {n: self.spread(np.asarray(v, np.uint32)) for n, v in numbers.items()}

    def spread(self, x):
        """One element for each thread."""
        x = np.asarray(x)
        return x if x.ndim else np.full(self.count, x)

    def parameter(self, index, kind: str, bits: int, mask=None):
        """Parameters of the PTX kernel in a register of so many bits.

        index: the address of a parameter is its number, for each thread or for all.
        """
        if np.ndim(index):
            index = index if mask is None else np.where(mask, index, np.uint64(0))
            numbers = np.unique(index)
            values = np.stack([self.parameter(n, kind, bits)[:1] for n in numbers])
            return values[np.searchsorted(numbers, index), 0]
        value = self._parameters[int(index)]
        if kind[0] == "f" or isinstance(value, float):
            size = bits_of_type(kind) // 8
            code = struct.pack("<f" if size == 4 else "<d", value)
            return self.spread(np.frombuffer(code, UNSIGNED[size])[0])
        number = int(value) % 2 ** bits_of_type(kind)
        return self.spread(UNSIGNED[bits // 8](number))

    def approximated(self, x, absolute: bool = False):
        """Float32 numbers, off by as much as the hardware's where order is random."""
        if self.rng is not None:
            error = self.rng.uniform(-ERROR, ERROR, x.shape)
            x = x + error if absolute else x * (1 + error)
        return np.asarray(x).astype(np.float32)

    def divided(self, a, b, mask, line: int):
        """Quotient and remainder of integers."""
        a, b = np.broadcast_arrays(self.spread(a), b)
        zero = (b == 0) if mask is None else (b == 0) & mask
        if zero.any():
            self.findings.add(self.kernel, "division by zero", line, count=zero.sum())
        return quotient_and_remainder(a, np.where(b == 0, b.dtype.type(1), b))

    def check_whole_warps(self, mask, line: int) -> None:
        """An instruction of whole warps must not run in a part of one."""
        if mask is None:
            return
        warps = mask.reshape(-1, 32)
        parts = warps.any(1) & ~warps.all(1)
        if parts.any():
            kind = "instruction of a whole warp in a part of it"
            self.findings.add(self.kernel, kind, line, count=parts.sum())

    def synchronize_warps(self, mask, line: int) -> None:
        """What these threads did before is seen by all others of their warps."""
        self.check_whole_warps(mask, line)
        passed = np.int32(1) if mask is None else mask.astype(np.int32)
        self.synchronizations = self.synchronizations + passed

    def pass_barrier(self) -> None:
        """All threads: what they did before is seen by all others of their blocks."""
        self.barriers = self.barriers + 1
        self.synchronizations = self.synchronizations + 1

    def shuffle(self, mode: str, value, lane, control, members, mask, line: int):
        """shfl.sync: numbers of other lanes, and whether there are such lanes."""
        if (np.asarray(members) != 0xFFFFFFFF).any():
            self.findings.add(self.kernel, "shuffle of a part of a warp", line)
        self.synchronize_warps(mask, line)
        lane = np.asarray(lane).astype(np.int64) & 31
        control = np.asarray(control).astype(np.int64)
        segment, clamp = control >> 8 & 31, control & 31
        own = self.warp_lanes
        low = own & segment
        limit = low | clamp & ~segment
        source = {
            "up": own - lane,
            "down": own + lane,
            "bfly": own ^ lane,
            "idx": low | lane & ~segment,
        }[mode]
        valid = source >= limit if mode == "up" else source <= limit
        source = np.where(valid, source, own)
        return value[self.warp_begins + source], self.spread(valid)
