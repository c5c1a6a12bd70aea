"""Earlier commits of this repository, for benchmarks that compare with them."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]


@contextlib.contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """A temporary git worktree of a commit.

    Raises:
        SystemExit: the commit is not here; git has printed why.
    """
    git = ["git", "-C", str(ROOT), "worktree"]
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "before"
        add = [*git, "add", "--quiet", "--detach", tree, commit]
        if subprocess.run(add).returncode:
            raise SystemExit(
                f"{commit} cannot be checked out from {ROOT}, which has to be a git "
                "clone with its history (git fetch --unshallow)"
            )
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", tree], check=True)


def importable(checkout: Path, folder: Path) -> Path:
    """Link the packages of a checkout into a new folder, for PYTHONPATH."""
    folder.mkdir()
    (folder / "flowzoo").symlink_to(checkout / "flowzoo")
    (folder / "flowzoo_kernels").symlink_to(checkout / "kernels")
    return folder
