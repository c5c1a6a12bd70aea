"""Former names, which work for one more release and warn of the present ones."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

# {former module: present module}
MODULES: dict[str, str] = {}

# {module: {former name in it: present module and name}}
NAMES: dict[str, dict[str, str]] = {
    "flowzoo.datasets.motionshapes": {"default_root": "flowzoo.paths.cache_root"},
    "flowzoo.datasets.motionshapes_files": {"default_root": "flowzoo.paths.cache_root"},
    "flowzoo.datasets.preparation": {"default_out": "flowzoo.paths.dataset_folder"},
}


def _warn(former: str, present: str, stacklevel: int = 3) -> None:
    # not a DeprecationWarning, which Python hides from those who write configs
    message = f"{former} is now {present}; the former name goes in the next release"
    warnings.warn(message, FutureWarning, stacklevel)


class _FormerModules(MetaPathFinder, Loader):
    """Import the present module where a former one is asked for."""

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in MODULES else None

    def exec_module(self, module: ModuleType) -> None:
        present = MODULES[module.__name__]
        _warn(module.__name__, present)
        sys.modules[module.__name__] = import_module(present)


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
    sys.meta_path.append(_FormerModules())
    for module, names in NAMES.items():
        import_module(module).__getattr__ = _getattr_of(module, names)
