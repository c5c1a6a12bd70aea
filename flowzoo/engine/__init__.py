from .divergence_guard import DivergenceGuardHook, TrainingDivergedError
from .hooks import (
    CheckBatchSizeHook,
    CheckFlowLearningRateHook,
    CheckNumClassesHook,
    LoadFromHook,
    UnreadableVideosHook,
)
from .optim import CaffeOptimWrapperConstructor, FlowOptimWrapperConstructor
from .training_summary import TrainingSummaryHook
from .visualization import FlowVisualizationHook, RepFlowVisualizationHook

__all__ = [
    "CaffeOptimWrapperConstructor",
    "CheckBatchSizeHook",
    "CheckFlowLearningRateHook",
    "CheckNumClassesHook",
    "DivergenceGuardHook",
    "FlowOptimWrapperConstructor",
    "FlowVisualizationHook",
    "LoadFromHook",
    "RepFlowVisualizationHook",
    "TrainingDivergedError",
    "TrainingSummaryHook",
    "UnreadableVideosHook",
]
