"""``_base_ = 'flowzoo::...'`` in configs, and configs at their former paths."""

import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..config_lookup import SPLIT, find_config, moved_config
from ..paths import data_root
from ._patch import wrap

SCOPE = "flowzoo"


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
            path, scope = original(cfg_path, filename)
            return str(moved_config(path) or path), scope

        return _get_cfg_path

    wrap(Config, "_get_cfg_path", make)


def read_former_configs() -> None:
    """Answer ``FileNotFoundError`` for a path that one of FlowZoo's configs had.

    And ``train_dataloader, train_cfg, and optim_wrapper should be either all None or
    not None``, which a config written against the former data sets leads to; and
    ``NameError: name 'abc' is not defined``, for SPLIT=abc.
    """

    def make(original: Callable) -> Callable:
        def fromfile(filename: str | Path, *args: Any, **kwargs: Any) -> Config:
            try:
                config = original(moved_config(filename) or filename, *args, **kwargs)
            except (KeyError, NameError, SyntaxError):
                _check_split()
                raise
            keys = set(config)
            if "split" in keys:
                _check_split()
            if {"train_data", "train_cfg"} <= keys and "train_dataloader" not in keys:
                message = f"{filename} has no train_dataloader: {SPLIT}"
                warnings.warn(message, FutureWarning, stacklevel=2)
            return config

        return fromfile

    wrap(Config, "fromfile", make)


def substitute_any_data_folder() -> None:
    """Answer ``unterminated string literal`` and ``bad escape``, for FLOWZOO_DATA.

    mmengine takes a variable's value for the source of a config: a quote ends the
    string, a backslash begins an escape. An empty value and ``~`` mean what they do
    elsewhere in FlowZoo.
    """

    def make(original: Callable) -> Callable:
        def _substitute_env_variables(filename: str, temp_config_name: str) -> dict:
            text, used = Path(filename).read_text(encoding="utf-8"), {}

            def folder(found: re.Match) -> str:
                used["FLOWZOO_DATA"] = path = str(data_root(found[1]))
                return re.sub(r"""(['"\\])""", r"\\\1", path)

            if "FLOWZOO_DATA" in os.environ:
                text = re.sub(
                    r"\{\{\s*\$FLOWZOO_DATA\s*:\s*(\S*?)\s*\}\}", folder, text
                )
            Path(temp_config_name).write_text(text, encoding="utf-8")
            return original(temp_config_name, temp_config_name) | used

        return _substitute_env_variables

    wrap(Config, "_substitute_env_variables", make)


def _check_split() -> None:
    split = os.environ.get("SPLIT", "1")
    if not re.fullmatch("[1-9][0-9]*", split.strip()):
        raise ValueError(
            f"SPLIT is {split!r} in the environment, but it must be the number of one "
            "of the data set's splits, from 1 on; without it, configs take the first"
        )
