import itertools
import struct

import pytest
from helpers.miniatures import write_clip


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Make a small video; writing each one anew would take time.

    Those in .mp4 differ in a box of its own at the end, which no reader looks at.
    """
    numbers = itertools.count()
    folder = tmp_path_factory.mktemp("clips")

    def copy(path, frames=6):
        master = folder / f"{frames}{path.suffix}"
        if not master.exists():
            write_clip(master, frames, "libvpx" if path.suffix == ".webm" else "mpeg4")
        path.parent.mkdir(parents=True, exist_ok=True)
        box = struct.pack(">I4sI", 12, b"free", next(numbers))
        path.write_bytes(master.read_bytes() + box * (path.suffix == ".mp4"))
        return path

    return copy


@pytest.fixture
def lines():
    """Lines of an annotation file."""
    return lambda path: path.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    """The configs read what is in folders below, by the dataset's name."""
    monkeypatch.setenv("FLOWZOO_DATA", str(tmp_path))
