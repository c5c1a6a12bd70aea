from .op import frame_pyramid

__all__ = ["frame_pyramid"]
