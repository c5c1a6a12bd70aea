"""Launch settings and the device guard of the Triton kernels."""

import contextlib
import os

import torch

# Registers hold everything; at 4 pixels per thread they suffice up to this block.
MAX_BLOCK = 2048
PIXELS_PER_THREAD = 4


def interpreted() -> bool:
    """Whether Triton was told to run kernels in Python, on CPU tensors."""
    return os.environ.get("TRITON_INTERPRET") == "1"


def device_guard(tensor: torch.Tensor) -> contextlib.AbstractContextManager:
    """Triton launches on the current device, which need not be the tensor's."""
    if tensor.is_cuda:
        return torch.cuda.device(tensor.device)
    return contextlib.nullcontext()


def multiprocessors(tensor: torch.Tensor) -> int:
    """Multiprocessors of the tensor's device."""
    if tensor.is_cuda:
        return torch.cuda.get_device_properties(tensor.device).multi_processor_count
    return 1


def pack(size: int, maps: int, spare: int) -> tuple[int, int, int] | None:
    """How maps are packed: maps per program, block, warps; None if one does not fit.

    Args:
        size: pixels of a map.
        maps: maps there are; a program does not hold more.
        spare: elements of the block that must stay free.
    """
    best, best_use = None, 0.0
    for block in (64, 128, 256, 512, 1024, MAX_BLOCK):
        planes = min((block - spare) // size, maps)
        if planes < 1:
            continue
        use = planes * size / block
        # A larger block must pay: it leaves less freedom to the scheduler.
        if use > 1.03 * best_use:
            best = planes, block, max(1, block // (32 * PIXELS_PER_THREAD))
            best_use = use
        if planes == maps:
            break
    return best
