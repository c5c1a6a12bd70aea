from .op import representation_flow

__all__ = ["representation_flow"]
