import pytest
from helpers.miniatures import write_clip


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Make a copy of a small video; writing it again and again would take time."""
    folder = tmp_path_factory.mktemp("clips")

    def copy(path, frames=6):
        master = folder / f"{frames}{path.suffix}"
        if not master.exists():
            write_clip(master, frames, "libvpx" if path.suffix == ".webm" else "mpeg4")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(master.read_bytes())
        return path

    return copy


@pytest.fixture
def lines():
    """Lines of an annotation file."""
    return lambda path: path.read_text(encoding="utf-8").splitlines()
