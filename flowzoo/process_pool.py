"""Workers that end with the process that started them, however that ends."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor


def available_cores() -> int:
    """How many cores this process may use."""
    linux = sys.platform == "linux"
    return len(os.sched_getaffinity(0)) if linux else os.cpu_count() or 1


def can_fork() -> bool:
    """Whether workers can be processes.

    Elsewhere than on Linux they would import the main script again, and a daemon
    process may not have children.
    """
    return sys.platform == "linux" and not multiprocessing.current_process().daemon


def worker_pool(jobs: int) -> Executor:
    """A pool of forked processes, or of threads where processes cannot be forked."""
    if not can_fork():
        return ThreadPoolExecutor(jobs)
    fork = multiprocessing.get_context("fork")
    return ProcessPoolExecutor(jobs, fork, _start_worker, (os.getpid(),))


def _start_worker(parent: int) -> None:
    """Leave interruptions to the parent, and end with it when it is killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()
