"""Run a nogil kernel over tasks on as many threads as torch uses.

Numba's own threading layers either end the process when two Python threads enter them
(workqueue) or when it has forked (OpenMP). Kernels release the GIL, so ordinary
threads do. They wait in a queue, without spinning; the caller works as well, and never
waits for a thread that has not begun.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count

import torch


class _Pool:
    """The threads of this process: one executor, as large as has been asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._size = 0

    def submit(self, work: Callable[[], None], threads: int) -> list[Future]:
        """Ask that so many threads run work; fewer where no more can be had.

        While the interpreter ends none can, nor at the system's limit of threads.
        """
        futures = []
        with self._lock:
            if threads > self._size:
                self._discard()
                self._executor = ThreadPoolExecutor(threads, "flowzoo")
                self._size = threads
            try:
                for _ in range(threads):
                    futures.append(self._executor.submit(work))
            except RuntimeError:
                self._discard()
        return futures

    def _discard(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor, self._size = None, 0


_pool = _Pool()


def _renew_pool() -> None:
    global _pool
    _pool = _Pool()


# A forked process has none of the threads, and perhaps a lock that stays closed.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_pool)


def run_tasks(make_worker: Callable[[], Callable[[int], None]], tasks: int) -> None:
    """Call ``worker(task)`` for each task in range(tasks).

    ``make_worker`` is called once in every thread, to allocate its scratch memory. A
    thread takes the next task when it has finished one.
    """
    ticket = count()  # its next() is atomic

    def work() -> None:
        task = next(ticket)
        if task >= tasks:  # begun when the others had finished
            return
        worker = make_worker()
        while task < tasks:
            worker(task)
            task = next(ticket)

    helpers = min(torch.get_num_threads(), tasks) - 1
    futures = _pool.submit(work, helpers) if helpers > 0 else []
    try:
        work()
    finally:
        for future in futures:
            if not future.cancel():
                future.result()
