from . import losses, necks, recognizers
from .backbones import RepFlowResNet
from .heads import FrameAverageHead

__all__ = ["FrameAverageHead", "RepFlowResNet", "losses", "necks", "recognizers"]
