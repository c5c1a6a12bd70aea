"""Where FlowZoo keeps its files; ``FLOWZOO_DATA`` in the environment moves them all."""

from __future__ import annotations

import os
from pathlib import Path


def dataset_folder(name: str) -> Path:
    """Folder in which the configs look for a dataset; ``data/NAME`` by default."""
    return data_root("data") / name


def cache_root() -> Path:
    """Folder of generated and downloaded files; in the user's cache by default."""
    return data_root(f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/flowzoo")


def data_root(default: str) -> Path:
    """What FLOWZOO_DATA says, or ``default`` if it is unset or empty."""
    return Path(os.environ.get("FLOWZOO_DATA") or default).expanduser()
