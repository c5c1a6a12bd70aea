"""Global memory: the tensors of a launch, with checks of every access."""

import numpy as np
import torch
from torch import Tensor

from .arithmetic import UNSIGNED
from .findings import Findings
from .ptx import Kernel
from .races import Accesses, History, granules_of

# Tensor k begins near k << SHIFT, so that no offset leads from one to another.
SHIFT = 40
UNREAD = 0x7FC0DEAD7FC0DEAD  # NaN in every type, where nothing could be read


class _Storage:
    """Memory that several tensors may share; they have elements of one size."""

    def __init__(self, tensor: Tensor, kernel: Kernel, findings: Findings) -> None:
        storage = tensor.untyped_storage()
        raw = torch.empty(0, dtype=torch.uint8).set_(storage).numpy()
        self.views = {w: raw[: len(raw) // w * w].view(u) for w, u in UNSIGNED.items()}
        self.element = tensor.element_size()
        granules = len(raw) // self.element
        self.history = History(granules, "global", kernel, findings)


class _Segment:
    """The part of a storage that is a tensor: bytes from begin to end, but for gaps."""

    def __init__(self, name: str, tensor: Tensor, storage: _Storage) -> None:
        self.name, self.storage, size = name, storage, storage.element
        assert tensor.element_size() == size, "tensors of two types share memory"
        dimensions = zip(tensor.shape, tensor.stride(), strict=True)
        extent = 1 + sum((count - 1) * stride for count, stride in dimensions)
        extent = extent if tensor.numel() else 0
        first = tensor.storage_offset()
        self.begin, self.end = first * size, (first + extent) * size
        self.elements = None  # which ones of the storage are the tensor's; None for all
        if extent != tensor.numel():
            self.elements = np.zeros(len(storage.views[size]), bool)
            np.lib.stride_tricks.as_strided(
                self.elements[first:], tensor.shape, tensor.stride()
            )[...] = True


class GlobalMemory:
    """Tensors by argument; `addresses` are what the kernel gets for them."""

    def __init__(
        self, tensors: dict[str, Tensor], kernel: Kernel, findings: Findings
    ) -> None:
        self.kernel, self.findings = kernel, findings
        self.addresses, self._segments, storages = {}, {}, {}
        for index, (name, tensor) in enumerate(tensors.items(), 1):
            key = tensor.untyped_storage().data_ptr() or name
            if key not in storages:
                storages[key] = _Storage(tensor, kernel, findings)
            segment = _Segment(name, tensor, storages[key])
            self._segments[index] = segment
            self.addresses[name] = (index << SHIFT) + segment.begin

    def load(self, threads, base, offset, width, count, mask, line) -> list:
        """`count` numbers of `width` bytes each, one after another."""
        address, lanes = _addresses(threads, base, offset, mask)
        unsigned = UNSIGNED[width]
        unread = unsigned(UNREAD & (256**width - 1))
        loaded = [np.full(threads.count, unread) for _ in range(count)]
        for segment, which, at in self._checked(address, width * count, line, "load"):
            view = segment.storage.views[width]
            for k in range(count):
                loaded[k][lanes[which]] = view[at // width + k]
            accesses, _ = self._accesses(
                threads, segment, lanes[which], at, width * count
            )
            segment.storage.history.read(accesses, threads.block_size, line)
        return loaded

    def store(self, threads, base, offset, width, values, mask, line) -> None:
        address, lanes = _addresses(threads, base, offset, mask)
        size = width * len(values)
        for segment, which, at in self._checked(address, size, line, "store"):
            stored = np.stack([value[lanes[which]] for value in values], 1)
            for k in range(len(values)):
                segment.storage.views[width][at // width + k] = stored[:, k]
            accesses, each = self._accesses(threads, segment, lanes[which], at, size)
            history, block_size = segment.storage.history, threads.block_size
            stored = np.repeat(stored, each // len(values) or 1, axis=1)[
                :, :each
            ].ravel()
            history.write(accesses, block_size, line, stored)

    def add(self, threads, base, offset, values, mask, line) -> None:
        """Atomic additions of float32 numbers, which need no order."""
        address, lanes = _addresses(threads, base, offset, mask)
        for segment, which, at in self._checked(address, 4, line, "atomic addition"):
            numbers = segment.storage.views[4].view(np.float32)
            np.add.at(numbers, at // 4, values[lanes[which]].view(np.float32))

    def _checked(self, address, size: int, line: int, what: str):
        """For each tensor accessed, which accesses these are and their byte offsets."""
        indices = (address >> np.uint64(SHIFT)).astype(np.int64)
        for index in np.unique(indices):
            which = np.flatnonzero(indices == index)
            at = (address[which] & np.uint64((1 << SHIFT) - 1)).astype(np.int64)
            segment = self._segments.get(int(index))
            if segment is None:
                detail = f"{what} at {int(address[which[0]]):#x}, which is no tensor's"
                self._add("access out of bounds", line, detail, len(which))
                continue
            bad = (at < segment.begin) | (at + size > segment.end)
            if bad.any():
                place = at[bad][0] - segment.begin
                bytes_ = segment.end - segment.begin
                detail = f"{what} of {segment.name} at byte {place} of {bytes_}"
                self._add("access out of bounds", line, detail, bad.sum())
            misaligned = ~bad & (at % size != 0)
            if misaligned.any():
                detail = (
                    f"{what} of {size} bytes of {segment.name} at {at[misaligned][0]}"
                )
                self._add("misaligned access", line, detail, misaligned.sum())
            good = ~bad & ~misaligned
            which, at = which[good], at[good]
            if segment.elements is not None:
                for byte in range(0, size, segment.storage.element):
                    element = (at + byte) // segment.storage.element
                    gap = ~segment.elements[element]
                    if gap.any():
                        detail = f"{what} of {segment.name} between its elements"
                        self._add("access out of bounds", line, detail, gap.sum())
            if len(at):
                yield segment, which, at

    def _add(self, kind: str, line: int, detail: str, count: int) -> None:
        self.findings.add(self.kernel, kind, line, detail, count)

    def _accesses(self, threads, segment: _Segment, lanes, at, size: int):
        granules, each = granules_of(at, size, segment.storage.element)
        lanes = np.repeat(lanes, each)
        ids = threads.ids[lanes]
        return Accesses(granules, ids, threads, lanes, threads.block_size), each


def _addresses(threads, base, offset: int, mask):
    """Addresses of the threads that access memory, and which threads these are."""
    lanes = threads.lanes if mask is None else np.flatnonzero(mask)
    return threads.spread(base)[lanes] + np.uint64(offset % 2**64), lanes
