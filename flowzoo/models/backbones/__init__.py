from .motionnet import MotionNet, ResNet50MotionNet, TinyMotionNet, VGG16MotionNet
from .repflow_released import ReleasedRepFlowResNet3d
from .repflow_resnet import RepFlowResNet

__all__ = [
    "MotionNet",
    "ReleasedRepFlowResNet3d",
    "RepFlowResNet",
    "ResNet50MotionNet",
    "TinyMotionNet",
    "VGG16MotionNet",
]
