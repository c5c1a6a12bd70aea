from .optim import AmpOptimWrapper, FlowOptimWrapperConstructor
from .visualization import ActionVisualizer, VisualizationHook

__all__ = [
    "ActionVisualizer",
    "AmpOptimWrapper",
    "FlowOptimWrapperConstructor",
    "VisualizationHook",
]
