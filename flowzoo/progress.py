"""A progress bar that fills no log."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

_SECONDS_IN_LOGS = 30


class Progress(tqdm):
    """tqdm, but seldom drawn where standard error is a file or a pipe."""

    def __init__(self, *args, **kwargs) -> None:
        if not sys.stderr.isatty():
            kwargs.setdefault("mininterval", _SECONDS_IN_LOGS)
        super().__init__(*args, **kwargs)

    @classmethod
    @contextmanager
    def external_write_mode(cls, file=None, nolock: bool = False) -> Iterator[None]:
        """Draw the bar anew below what ``write`` says, on a terminal alone."""
        if not sys.stderr.isatty():
            yield
            return
        with super().external_write_mode(file, nolock):
            yield
