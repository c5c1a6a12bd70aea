"""Former names, which work for one more release and warn of the present ones."""

from __future__ import annotations

import functools
import runpy
import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from mmaction.registry import HOOKS, TRANSFORMS
from mmengine.registry import MODELS as LAYERS
from mmengine.registry import Registry

# {former module: present one}
MODULES = {
    "flowzoo.compat.flops": "flowzoo.zoo.flops",
    "flowzoo.compat.interruption": "flowzoo.compat.atomic_checkpoints",
    "flowzoo.datasets.motionshapes_clip": "flowzoo.datasets.motionshapes.clip",
    "flowzoo.datasets.motionshapes_files": "flowzoo.datasets.motionshapes.files",
    "flowzoo.datasets.motionshapes_flow": "flowzoo.datasets.motionshapes.flow",
    "flowzoo.datasets.tfrecord": "flowzoo.io.tfrecord",
    "flowzoo.evaluation.score_fusion": "flowzoo.evaluation.score_dumps",
    "flowzoo.engine.flow_visualization": "flowzoo.engine.visualization",
    "flowzoo.engine.repflow_pictures": "flowzoo.engine.visualization",
    "flowzoo.visualization.flow_pictures": "flowzoo.visualization.flow_images",
    "flowzoo.zoo.caffemodel": "flowzoo.io.caffemodel",
    "flowzoo.zoo.files": "flowzoo.io.checkpoint_io",
    "flowzoo.zoo.scheme": "flowzoo.zoo.url_schemes",
    "flowzoo.zoo.tensor_source": "flowzoo.io.state_dict_reader",
    "flowzoo.zoo.tensorflow_variables": "flowzoo.io.tensorflow_variables",
}

# {module: {former name in it: present module and name}}
NAMES: dict[str, dict[str, str]] = {
    "flowzoo.compat": {
        "hush_mmcv_lite": "flowzoo.compat.silence_mmcv_lite",
        "provide_drn": "flowzoo.compat.stub_drn",
        "write_whole_checkpoints": "flowzoo.compat.write_checkpoints_atomically",
    },
    "flowzoo.compat.atomic_checkpoints": {
        "write_whole_checkpoints": "flowzoo.compat.write_checkpoints_atomically"
    },
    "flowzoo.compat.configs": {"CONFIGS": "flowzoo.config_lookup.CONFIGS"},
    "flowzoo.compat.imports": {
        "hush_mmcv_lite": "flowzoo.compat.silence_mmcv_lite",
        "provide_drn": "flowzoo.compat.stub_drn",
    },
    "flowzoo.datasets.motionshapes": {
        "default_root": "flowzoo.paths.cache_root",
        "main": "flowzoo.datasets.motionshapes.__main__.main",
    },
    "flowzoo.datasets.motionshapes.files": {"default_root": "flowzoo.paths.cache_root"},
    "flowzoo.datasets.preparation": {"default_out": "flowzoo.paths.dataset_folder"},
    "flowzoo.datasets.preparation.prepare": {
        "default_out": "flowzoo.paths.dataset_folder"
    },
    "flowzoo.datasets.transforms": {
        "WithFlow": "flowzoo.datasets.transforms.TransformWithFlow"
    },
    "flowzoo.datasets.transforms.flow": {
        "WithFlow": "flowzoo.datasets.transforms.TransformWithFlow"
    },
    "flowzoo.datasets.video": {
        "MotionShapesDataset": "flowzoo.datasets.MotionShapesDataset"
    },
    "flowzoo.engine": {
        "ActionVisualizer": "flowzoo.compat.ActionVisualizer",
        "AmpOptimWrapper": "flowzoo.compat.AmpOptimWrapper",
        "RepFlowPicturesHook": "flowzoo.engine.RepFlowVisualizationHook",
        "VisualizationHook": "flowzoo.compat.VisualizationHook",
    },
    "flowzoo.engine.optim": {"AmpOptimWrapper": "flowzoo.compat.AmpOptimWrapper"},
    "flowzoo.engine.visualization": {
        "ActionVisualizer": "flowzoo.compat.ActionVisualizer",
        "RepFlowPicturesHook": "flowzoo.engine.RepFlowVisualizationHook",
        "flow_picture": "flowzoo.engine.visualization.flow_image",
    },
    "flowzoo.evaluation.score_dumps": {
        "HANDLINGS": "flowzoo.score_fusion.SCORE_NORMS",
        "fuse_scores": "flowzoo.score_fusion.fuse_scores",
        "handle_scores": "flowzoo.score_fusion.normalize_scores",
        "rank_weights": "flowzoo.score_fusion.rank_weights",
        "weight_grid": "flowzoo.score_fusion.weight_grid",
    },
    "flowzoo.io.state_dict_reader": {
        "TensorSource": "flowzoo.io.state_dict_reader.StateDictReader"
    },
    "flowzoo.models.backbones.motionnet": {
        "PIXELS_PER_UNIT": "flowzoo.models.flow_units.PIXELS_PER_UNIT"
    },
    "flowzoo.models.layers.same_padding": {
        "SameConv3d": "flowzoo.models.layers.same_padding.Conv3dSame",
        "SameMaxPool3d": "flowzoo.models.layers.same_padding.MaxPool3dSame",
    },
    "flowzoo.visualization": {
        "write_flow_pictures": "flowzoo.visualization.write_flow_images"
    },
    "flowzoo.visualization.flow_images": {
        "write_flow_pictures": "flowzoo.visualization.write_flow_images"
    },
}

# {former type in configs: its registry and the present class}
TYPES: dict[str, tuple[Registry, str]] = {
    "RepFlowPicturesHook": (HOOKS, "flowzoo.engine.RepFlowVisualizationHook"),
    "SameConv3d": (LAYERS, "flowzoo.models.layers.same_padding.Conv3dSame"),
    "WithFlow": (TRANSFORMS, "flowzoo.datasets.transforms.TransformWithFlow"),
}


def _warn(former: str, present: str) -> None:
    # not a DeprecationWarning, which Python hides from those who write configs
    removal = "the former name will be removed in the next release"
    warnings.warn(f"{former} is now {present}; {removal}", FutureWarning, stacklevel=3)


def former_arguments(**names: str) -> Callable[[Callable], Callable]:
    """Let a function take arguments by their former names, given as former=present."""

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def wrapper(*args, **kwargs) -> object:
            for former in names.keys() & kwargs.keys():
                if names[former] in kwargs:
                    raise TypeError(
                        f"{former}= is now {names[former]}=; give only the latter"
                    )
                _warn(f"{former}=", f"{names[former]}=")
                kwargs[names[former]] = kwargs.pop(former)
            return function(*args, **kwargs)

        return wrapper

    return decorate


def run_tool(former: str, present: str, *arguments: str) -> None:
    """Run a tool under its former name.

    Args:
        former: the path of the former tool.
        present: the name of the present one, beside it.
        *arguments: what the present one needs before those of the command line.
    """
    tool = Path(former).with_name(present)
    _warn(Path(former).name, " ".join((present, *arguments)))
    sys.argv[:1] = [str(tool), *arguments]
    runpy.run_path(str(tool), run_name="__main__")


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
        return _get(names[name])

    return __getattr__


def _builder_of(former: str, present: str) -> Callable[..., object]:
    def build(*args, **kwargs) -> object:
        _warn(f"type={former!r}", f"type={present.rpartition('.')[2]!r}")
        return _get(present)(*args, **kwargs)

    return build


def _get(path: str) -> object:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def install() -> None:
    """Make the former names work."""
    for module, names in NAMES.items():
        import_module(module).__getattr__ = _getattr_of(module, names)
    for former, (registry, present) in TYPES.items():
        builder = _builder_of(former, present)
        registry.register_module(former, force=True, module=builder)
    if not any(isinstance(finder, _FormerModules) for finder in sys.meta_path):
        sys.meta_path.append(_FormerModules())
