from .op import backward_warp

__all__ = ["backward_warp"]
