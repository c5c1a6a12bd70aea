"""Workarounds for mmaction2 1.2, mmengine 0.10 and mmcv-lite 2.1 on current PyTorch.

One function per fault, or one class in place of the faulty one. Each names in its
docstring the error that it answers, changes something only where the fault is present,
and may be called again. Importing this package applies them all; it has to happen
before ``mmaction.models`` is imported.
"""

# ruff: noqa: E402  (the modules below import mmaction2, which needs the first fixes)

from .imports import check_opencv, provide_home, silence_mmcv_lite, stub_drn

provide_home()
silence_mmcv_lite()
check_opencv()
stub_drn()

from .amp import AmpOptimWrapper
from .atomic_checkpoints import (
    resume_from_whole_checkpoint,
    tell_splits_apart,
    write_checkpoints_atomically,
)
from .checkpoints import allow_mmengine_checkpoints
from .compiling import step_uncompiled
from .configs import (
    read_former_configs,
    resolve_flowzoo_configs,
    substitute_any_data_folder,
)
from .distributed import use_gloo_on_cpu, wrap_models_on_cpu
from .heads import score_in_float32
from .inferencers import infer_by_zoo_names, keep_decoders_of_inferencers
from .loaders import load_without_workers, tell_classes_of_videos
from .transforms import turn_hues_below_zero
from .visualization import ActionVisualizer, VisualizationHook

__all__ = ["ActionVisualizer", "AmpOptimWrapper", "VisualizationHook"]

allow_mmengine_checkpoints()
resolve_flowzoo_configs()
read_former_configs()
substitute_any_data_folder()
use_gloo_on_cpu()
wrap_models_on_cpu()
score_in_float32()
write_checkpoints_atomically()
resume_from_whole_checkpoint()
tell_splits_apart()
load_without_workers()
tell_classes_of_videos()
step_uncompiled()
infer_by_zoo_names()
keep_decoders_of_inferencers()
turn_hues_below_zero()
