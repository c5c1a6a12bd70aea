from . import losses, necks, recognizers
from .backbones import (
    MotionNet,
    RepFlowResNet,
    ResNet50MotionNet,
    TinyMotionNet,
    VGG16MotionNet,
)
from .heads import FrameAverageHead

__all__ = [
    "FrameAverageHead",
    "MotionNet",
    "RepFlowResNet",
    "ResNet50MotionNet",
    "TinyMotionNet",
    "VGG16MotionNet",
    "losses",
    "necks",
    "recognizers",
]
