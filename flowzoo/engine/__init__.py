from .divergence_guard import DivergenceGuardHook, TrainingDivergedError
from .flow_visualization import FlowVisualizationHook
from .hooks import (
    CheckBatchSizeHook,
    CheckFlowLearningRateHook,
    CheckNumClassesHook,
    UnreadableVideosHook,
)
from .optim import AmpOptimWrapper, FlowOptimWrapperConstructor
from .repflow_pictures import RepFlowPicturesHook
from .visualization import ActionVisualizer, VisualizationHook

__all__ = [
    "ActionVisualizer",
    "AmpOptimWrapper",
    "CheckBatchSizeHook",
    "CheckFlowLearningRateHook",
    "CheckNumClassesHook",
    "DivergenceGuardHook",
    "FlowOptimWrapperConstructor",
    "FlowVisualizationHook",
    "RepFlowPicturesHook",
    "TrainingDivergedError",
    "UnreadableVideosHook",
    "VisualizationHook",
]
