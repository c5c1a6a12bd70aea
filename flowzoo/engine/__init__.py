from .hooks import (
    CheckFlowLearningRateHook,
    CheckNumClassesHook,
    UnreadableVideosHook,
)
from .optim import AmpOptimWrapper, FlowOptimWrapperConstructor
from .visualization import ActionVisualizer, VisualizationHook

__all__ = [
    "ActionVisualizer",
    "AmpOptimWrapper",
    "CheckFlowLearningRateHook",
    "CheckNumClassesHook",
    "FlowOptimWrapperConstructor",
    "UnreadableVideosHook",
    "VisualizationHook",
]
