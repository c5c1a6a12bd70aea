"""Training that is killed while it writes a checkpoint, and resumed."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from mmengine.fileio import LocalBackend
from mmengine.logging import print_log
from mmengine.runner import Runner, runner

from ._patch import wrap


def write_checkpoints_atomically() -> None:
    """Avoid ``PytorchStreamReader failed reading zip archive`` on ``--resume``.

    mmengine writes a checkpoint under its final name, and writes the latest one a
    second time when it is the best so far; a kill in between leaves half a file there.
    """

    def make(original: Callable) -> Callable:
        def put(self, obj: bytes, filepath: str | Path) -> None:
            if Path(filepath).suffix != ".pth":
                original(self, obj, filepath)
                return
            part = Path(f"{filepath}.part")
            original(self, obj, part)
            part.replace(filepath)

        return put

    wrap(LocalBackend, "put", make)


def _newest_whole_checkpoint(folder: Path) -> Path | None:
    # best_*.pth lack the state of the optimizer
    whole = [
        path
        for path in folder.glob("*.pth")
        if not path.name.startswith("best_") and is_zipfile(path)
    ]
    return max(whole, key=lambda path: path.stat().st_mtime, default=None)


def resume_from_whole_checkpoint() -> None:
    """Answer ``PytorchStreamReader failed`` and ``can not be found`` on ``--resume``.

    ``last_checkpoint`` may be empty after a kill, or name a file that is incomplete or
    gone. The newest whole checkpoint beside it is taken then, with a warning.
    """

    def make(original: Callable) -> Callable:
        def find_latest_checkpoint(path: str) -> str | None:
            latest = original(path)
            if latest is None or "://" in latest or is_zipfile(latest):
                return latest
            if latest and Path(latest).is_dir():  # DeepSpeed's
                return latest
            newest = _newest_whole_checkpoint(
                Path(latest).parent if latest else Path(path)
            )
            print_log(
                f"The last checkpoint {latest!r} is missing or incomplete: "
                + (f"resuming from {newest}" if newest else "starting from scratch"),
                logger="current",
                level=logging.WARNING,
            )
            return str(newest) if newest else None

        return find_latest_checkpoint

    wrap(runner, "find_latest_checkpoint", make)


def refuse_to_resume_another_split() -> None:
    """Avoid that a network is tested on clips that it has learned from.

    All splits have one work directory by default, and mmengine resumes whatever is in
    it: ``SPLIT=2 python tools/train.py CONFIG --resume`` took split 1's last epoch.
    """

    def make(original: Callable) -> Callable:
        def load_checkpoint(self: Runner, filename: str, *args: Any, **kw: Any) -> dict:
            checkpoint = original(self, filename, *args, **kw)
            config = checkpoint.get("meta", {}).get("cfg", "")
            trained = re.search(r"^split = (\d+)$", config, re.MULTILINE)
            split = self.cfg.get("split")
            if self._resume and trained and trained[1] != str(split):
                raise ValueError(
                    f"{filename} cannot be resumed: it is of split {trained[1]}, not "
                    f"{split}; give each split a --work-dir"
                )
            return checkpoint

        return load_checkpoint

    wrap(Runner, "load_checkpoint", make)
