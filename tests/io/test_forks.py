"""Forked processes and the decoders of their parents."""

import gc
import os

import pytest

import flowzoo.io  # noqa: F401  what is imported with every reader


class Trap:
    """Notes which process has freed it."""

    def __init__(self, file):
        self.file, self.cycle = file, self

    def __del__(self):
        self.file.write_text(str(os.getpid()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_frees_nothing_of_its_parent(tmp_path):
    """A decoder with threads, freed in a fork, waits for them for ever."""
    file = tmp_path / "freed"
    gc.disable()
    try:
        Trap(file)
        child = os.fork()
        if child == 0:
            gc.collect()
            os._exit(0)
        os.waitpid(child, 0)
        assert not file.exists()
    finally:
        gc.enable()
    gc.collect()
    assert file.read_text() == str(os.getpid())
