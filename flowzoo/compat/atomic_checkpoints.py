"""Training that is killed while it writes a checkpoint, and resumed."""

import logging
import re
from collections.abc import Callable, Mapping
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


def tell_splits_apart() -> None:
    """Avoid that a network is tested on clips that it has learned from, in silence.

    All splits have one work directory by default, and mmengine resumes whatever is in
    it: ``SPLIT=2 python tools/train.py CONFIG --resume`` took split 1's last epoch. And
    it tests whatever it is given.
    """

    def make(original: Callable) -> Callable:
        def load_checkpoint(self: Runner, filename: str, *args: Any, **kw: Any) -> dict:
            checkpoint = original(self, filename, *args, **kw)
            trained, used = (
                split_of(checkpoint.get("meta") or {}),
                self.cfg.get("split"),
            )
            if trained is None or trained[1] == str(used):
                return checkpoint
            dataset, split = trained
            if self._resume:
                raise ValueError(
                    f"{filename} cannot be resumed: it is of split {split}, not "
                    f"{used}; give each split a --work-dir"
                )
            if dataset == Path(self.cfg.get("root", "")).name:
                print_log(
                    f"{filename} was trained on split {split}, and has learned from "
                    f"clips that split {used} tests on: its accuracy there will be too "
                    "high",
                    "current",
                    logging.WARNING,
                )
            return checkpoint

        return load_checkpoint

    wrap(Runner, "load_checkpoint", make)


def split_of(meta: Mapping) -> tuple[str, str] | None:
    """The data set and the split that a checkpoint was trained on."""
    config = meta.get("cfg") or meta.get("config") or ""
    found = [
        re.search(pattern, str(config), re.MULTILINE)
        for pattern in (r"^root = ['\"](.*)['\"]$", r"^split = (\d+)$")
    ]
    root, split = ("" if part is None else part[1] for part in found)
    return (Path(root).name, split) if split else None
