"""Losses, registered with mmaction2."""

from .flow_losses import SupervisedFlowLoss, UnsupervisedFlowLoss
from .monet_loss import HallucinationLoss
from .refined_flow_loss import RefinedFlowLoss

__all__ = [
    "HallucinationLoss",
    "RefinedFlowLoss",
    "SupervisedFlowLoss",
    "UnsupervisedFlowLoss",
]
