from .motionnet import MotionNet, ResNet50MotionNet, TinyMotionNet, VGG16MotionNet
from .repflow_resnet import RepFlowResNet

__all__ = [
    "MotionNet",
    "RepFlowResNet",
    "ResNet50MotionNet",
    "TinyMotionNet",
    "VGG16MotionNet",
]
