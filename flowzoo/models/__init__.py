from . import losses, necks, recognizers
from .backbones import (
    InceptionI3D,
    MotionNet,
    ReleasedRepFlowResNet3d,
    RepFlowFcfResNet3d,
    RepFlowResNet,
    RepFlowResNet2Plus1d,
    RepFlowResNet3d,
    RepFlowSeparableResNet3d,
    ResNet50MotionNet,
    TinyMotionNet,
    VGG16MotionNet,
)
from .heads import FrameAverageHead

__all__ = [
    "FrameAverageHead",
    "InceptionI3D",
    "MotionNet",
    "ReleasedRepFlowResNet3d",
    "RepFlowFcfResNet3d",
    "RepFlowResNet",
    "RepFlowResNet2Plus1d",
    "RepFlowResNet3d",
    "RepFlowSeparableResNet3d",
    "ResNet50MotionNet",
    "TinyMotionNet",
    "VGG16MotionNet",
    "losses",
    "necks",
    "recognizers",
]
