from .repflow_resnet import RepFlowResNet

__all__ = ["RepFlowResNet"]
