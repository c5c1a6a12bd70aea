from .frame_average_head import FrameAverageHead

__all__ = ["FrameAverageHead"]
