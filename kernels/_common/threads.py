"""Run a nogil kernel over tasks on as many threads as torch uses.

Numba's own threading layers either end the process when two Python threads enter them
(workqueue) or when it has forked (OpenMP). Kernels release the GIL, so ordinary
threads do; a pool belongs to the process that made it, so forked workers are safe.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import torch

_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}


def _pool(threads: int) -> ThreadPoolExecutor:
    key = os.getpid(), threads
    if key not in _pools:
        _pools[key] = ThreadPoolExecutor(threads, thread_name_prefix="flowzoo")
    return _pools[key]


def thread_count(tasks: int) -> int:
    """How many threads :func:`run_tasks` uses."""
    return max(1, min(torch.get_num_threads(), tasks))


def run_tasks(make_worker: Callable[[], Callable[[int], None]], tasks: int) -> None:
    """Call ``worker(task)`` for each task in range(tasks).

    ``make_worker`` is called once in every thread, to allocate its scratch memory. A
    thread takes the next task when it has finished one.
    """
    ticket = count()  # its next() is atomic

    def work() -> None:
        worker = make_worker()
        while (task := next(ticket)) < tasks:
            worker(task)

    helpers = thread_count(tasks) - 1
    if helpers < 1:
        work()
        return
    futures = [_pool(helpers).submit(work) for _ in range(helpers)]
    try:
        work()
    finally:
        for future in futures:
            future.result()
