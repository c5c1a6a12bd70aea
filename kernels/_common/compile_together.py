"""Kernels that a call needs for the first time are compiled at the same time."""

import contextvars
import os
from collections.abc import Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import triton

from .launch import interpreted

_known: set[Hashable] = set()


class Launch(NamedTuple):
    """A launch of a kernel, to be."""

    kernel: triton.JITFunction
    grid: tuple[int, ...]
    arguments: dict[str, object]


def launch_all(launches: Iterable[Launch], key: Hashable) -> None:
    """Launch kernels one after another.

    If there was no such key before, they are first compiled side by side, on all cores:
    most of Triton's compiler runs without Python's lock. Older Tritons cannot do that.
    """
    if key not in _known and hasattr(triton, "AsyncCompileMode") and not interpreted():
        launches = list(launches)
        # What compiles is a context variable, and stays set if compiling fails.
        contextvars.Context().run(_compile, launches)
        _known.add(key)
    for kernel, grid, arguments in launches:
        kernel[grid](**arguments)


def _compile(launches: list[Launch]) -> None:
    """Compile the kernels that are not compiled yet."""
    executor = ThreadPoolExecutor(len(os.sched_getaffinity(0)))
    try:
        with executor, triton.AsyncCompileMode(executor):
            for kernel, grid, arguments in launches:
                kernel.warmup(grid=grid, **arguments)
    except BaseException:
        # Triton 3.7 keeps what has failed, and raises the same at every later call.
        for kernel, *_ in launches:
            for compiled, *_ in kernel.device_caches.values():
                compiled.clear()
        raise
