import gc
import os
import sys

import pytest

from flowzoo.process_pool import worker_pool


class Trap:
    """Notes that a process has freed it."""

    def __init__(self, file):
        self.file, self.cycle = file, self

    def __del__(self):
        self.file.write_text(str(os.getpid()))


@pytest.mark.skipif(sys.platform != "linux", reason="processes fork on Linux only")
def test_workers_free_nothing_of_their_parent(tmp_path):
    """A decoder with threads, freed in a fork, waits for ever."""
    file = tmp_path / "freed"
    with worker_pool(1) as pool:
        gc.disable()
        try:
            Trap(file)
            pool.submit(gc.collect).result(60)
            assert not file.exists()
        finally:
            gc.enable()
    gc.collect()
    assert file.read_text() == str(os.getpid())
