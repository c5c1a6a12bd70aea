from .divergence_guard import DivergenceGuardHook, TrainingDivergedError
from .hooks import (
    CheckBatchSizeHook,
    CheckFlowLearningRateHook,
    CheckNumClassesHook,
    UnreadableVideosHook,
)
from .optim import CaffeOptimWrapperConstructor, FlowOptimWrapperConstructor
from .visualization import FlowVisualizationHook, RepFlowVisualizationHook

__all__ = [
    "CaffeOptimWrapperConstructor",
    "CheckBatchSizeHook",
    "CheckFlowLearningRateHook",
    "CheckNumClassesHook",
    "DivergenceGuardHook",
    "FlowOptimWrapperConstructor",
    "FlowVisualizationHook",
    "RepFlowVisualizationHook",
    "TrainingDivergedError",
    "UnreadableVideosHook",
]
