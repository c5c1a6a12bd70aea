"""Former names, which work for one more release and warn of the present ones."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module

# {module: {former name in it: present module and name}}
NAMES: dict[str, dict[str, str]] = {
    "flowzoo.datasets.motionshapes": {"default_root": "flowzoo.paths.cache_root"},
    "flowzoo.datasets.motionshapes_files": {"default_root": "flowzoo.paths.cache_root"},
    "flowzoo.datasets.preparation": {"default_out": "flowzoo.paths.dataset_folder"},
}


def _warn(former: str, present: str) -> None:
    # not a DeprecationWarning, which Python hides from those who write configs
    message = f"{former} is now {present}; the former name goes in the next release"
    warnings.warn(message, FutureWarning, stacklevel=3)


def _getattr_of(module: str, names: dict[str, str]) -> Callable[[str], object]:
    def __getattr__(name: str) -> object:  # noqa: N807
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        _warn(f"{module}.{name}", names[name])
        owner, _, present = names[name].rpartition(".")
        return getattr(import_module(owner), present)

    return __getattr__


def install() -> None:
    """Make the former names work."""
    for module, names in NAMES.items():
        import_module(module).__getattr__ = _getattr_of(module, names)
