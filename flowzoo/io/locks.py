"""Locks between processes."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from mmengine.logging import print_log


@contextlib.contextmanager
def lock(path: Path, wait: bool = True) -> Iterator[bool]:
    """Wait until no other process holds ``path``; the kernel frees it on a kill.

    Yields False where there are no locks, as on some network file systems and on
    Windows: other processes may then do the same at the same time.

    Raises:
        BlockingIOError: another process holds ``path``, and ``wait`` is False.
        OSError: ``path`` cannot be written.
    """
    with path.open("a") as file:
        fault = _acquire(file, wait)
        if fault:
            print_log(
                f"{path.parent} has no locks ({fault}): continuing without, so other "
                "processes may write the same files at the same time",
                logger="current",
                level=logging.WARNING,
            )
        yield not fault  # closing the file frees the lock


def _acquire(file: IO, wait: bool) -> Exception | None:
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except (ImportError, OSError) as error:
        return error
    return None
