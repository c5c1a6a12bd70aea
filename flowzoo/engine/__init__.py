from .hooks import CheckNumClassesHook, UnreadableVideosHook
from .optim import AmpOptimWrapper, FlowOptimWrapperConstructor
from .visualization import ActionVisualizer, VisualizationHook

__all__ = [
    "ActionVisualizer",
    "AmpOptimWrapper",
    "CheckNumClassesHook",
    "FlowOptimWrapperConstructor",
    "UnreadableVideosHook",
    "VisualizationHook",
]
