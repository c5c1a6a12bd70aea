from .divergence_guard import DivergenceGuardHook, TrainingDivergedError
from .hooks import (
    CheckBatchSizeHook,
    CheckFlowLearningRateHook,
    CheckNumClassesHook,
    UnreadableVideosHook,
)
from .optim import FlowOptimWrapperConstructor
from .visualization import FlowVisualizationHook, RepFlowVisualizationHook

__all__ = [
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
