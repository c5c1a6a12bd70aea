"""``_base_ = 'flowzoo::...'`` in configs."""

import difflib
from collections.abc import Callable
from pathlib import Path

from mmengine.config import Config

from ._patch import wrap

SCOPE = "flowzoo"
CONFIGS = Path(__file__).parents[1] / ".mim" / "configs"


def find_config(name: str) -> Path:
    """Path of one of FlowZoo's configs, for example ``repflow_r50_kinetics.py``."""
    path = CONFIGS / name
    if not path.is_file():
        known = sorted(str(p.relative_to(CONFIGS)) for p in CONFIGS.rglob("*.py"))
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known
        raise FileNotFoundError(
            f"FlowZoo has no config {name!r}; did you mean one of: {', '.join(close)}?"
        )
    return path


def resolve_flowzoo_configs() -> None:
    """Answer ``_get_package_and_cfg_path is used for get external package, ...``.

    mmengine resolves ``package::folder/config.py`` for a fixed list of packages only,
    and not where the package is installed editable. FlowZoo's configs use the names of
    mmaction2's registries, hence that scope.
    """

    def make(original: Callable) -> Callable:
        def _get_cfg_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
            scope, separator, name = cfg_path.partition("::")
            if separator and scope == SCOPE:
                return str(find_config(name)), "mmaction"
            return original(cfg_path, filename)

        return _get_cfg_path

    wrap(Config, "_get_cfg_path", make)
