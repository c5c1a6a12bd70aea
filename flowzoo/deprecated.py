"""Former names, which work for one more release and warn of the present ones."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

# {former module: present one}
MODULES = {
    "flowzoo.datasets.motionshapes_clip": "flowzoo.datasets.motionshapes.clip",
    "flowzoo.datasets.motionshapes_files": "flowzoo.datasets.motionshapes.files",
    "flowzoo.datasets.motionshapes_flow": "flowzoo.datasets.motionshapes.flow",
    "flowzoo.datasets.tfrecord": "flowzoo.io.tfrecord",
    "flowzoo.zoo.caffemodel": "flowzoo.io.caffemodel",
    "flowzoo.zoo.files": "flowzoo.io.checkpoint_io",
    "flowzoo.zoo.scheme": "flowzoo.zoo.url_schemes",
    "flowzoo.zoo.tensor_source": "flowzoo.io.state_dict_reader",
    "flowzoo.zoo.tensorflow_variables": "flowzoo.io.tensorflow_variables",
}

# {module: {former name in it: present module and name}}
NAMES: dict[str, dict[str, str]] = {
    "flowzoo.datasets.motionshapes": {"default_root": "flowzoo.paths.cache_root"},
    "flowzoo.datasets.motionshapes.files": {"default_root": "flowzoo.paths.cache_root"},
    "flowzoo.datasets.preparation": {"default_out": "flowzoo.paths.dataset_folder"},
    "flowzoo.datasets.video": {
        "MotionShapesDataset": "flowzoo.datasets.MotionShapesDataset"
    },
    "flowzoo.io.state_dict_reader": {
        "TensorSource": "flowzoo.io.state_dict_reader.StateDictReader"
    },
}


def _warn(former: str, present: str) -> None:
    # not a DeprecationWarning, which Python hides from those who write configs
    message = f"{former} is now {present}; the former name goes in the next release"
    warnings.warn(message, FutureWarning, stacklevel=3)


class _FormerModules(MetaPathFinder, Loader):
    def find_spec(self, fullname: str, path=None, target=None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in MODULES else None

    def exec_module(self, module: ModuleType) -> None:
        former = module.__name__
        _warn(former, MODULES[former])
        # what stands there afterward is what the import gives
        sys.modules[former] = import_module(MODULES[former])


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
    if not any(isinstance(finder, _FormerModules) for finder in sys.meta_path):
        sys.meta_path.append(_FormerModules())
