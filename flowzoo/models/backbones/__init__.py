from .actionflownet import ActionFlowNet
from .bn_inception import BNInception
from .efficientnet_lite0 import EfficientNetLite0
from .inception_i3d import InceptionI3D
from .mfnet import MFNet
from .motionnet import MotionNet, ResNet50MotionNet, TinyMotionNet, VGG16MotionNet
from .pyramid_motionnet import PyramidMotionNet
from .repflow_fcf import RepFlowFcfResNet3d
from .repflow_released import ReleasedRepFlowResNet3d
from .repflow_resnet import RepFlowResNet
from .repflow_resnet3d import (
    RepFlowResNet2Plus1d,
    RepFlowResNet3d,
    RepFlowSeparableResNet3d,
)
from .s3d import S3D
from .temporal_stream import BranchedTemporalStream, StackedTemporalStream
from .tvnet import TVNetTemporalStream
from .vgg16 import VGG16, VGGClassifier

__all__ = [
    "S3D",
    "VGG16",
    "ActionFlowNet",
    "BNInception",
    "BranchedTemporalStream",
    "EfficientNetLite0",
    "InceptionI3D",
    "MFNet",
    "MotionNet",
    "PyramidMotionNet",
    "ReleasedRepFlowResNet3d",
    "RepFlowFcfResNet3d",
    "RepFlowResNet",
    "RepFlowResNet2Plus1d",
    "RepFlowResNet3d",
    "RepFlowSeparableResNet3d",
    "ResNet50MotionNet",
    "StackedTemporalStream",
    "TVNetTemporalStream",
    "TinyMotionNet",
    "VGG16MotionNet",
    "VGGClassifier",
]
