from .optim import AmpOptimWrapper, FlowOptimWrapperConstructor

__all__ = ["AmpOptimWrapper", "FlowOptimWrapperConstructor"]
