"""Losses, registered with mmaction2."""

from .flow_losses import SupervisedFlowLoss, UnsupervisedFlowLoss
from .monet_loss import HallucinationLoss

__all__ = ["HallucinationLoss", "SupervisedFlowLoss", "UnsupervisedFlowLoss"]
