from .motionnet import MotionNet, ResNet50MotionNet, TinyMotionNet, VGG16MotionNet
from .repflow_released import ReleasedRepFlowResNet3d
from .repflow_resnet import RepFlowResNet
from .temporal_stream import BranchedTemporalStream, StackedTemporalStream
from .vgg16 import VGG16, VGGClassifier

__all__ = [
    "VGG16",
    "BranchedTemporalStream",
    "MotionNet",
    "ReleasedRepFlowResNet3d",
    "RepFlowResNet",
    "ResNet50MotionNet",
    "StackedTemporalStream",
    "TinyMotionNet",
    "VGG16MotionNet",
    "VGGClassifier",
]
