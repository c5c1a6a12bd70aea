"""Losses, registered with mmaction2."""

from .energy_loss import TVL1EnergyLoss
from .flow_losses import SupervisedFlowLoss, UnsupervisedFlowLoss
from .monet_loss import HallucinationLoss
from .refined_flow_loss import RefinedFlowLoss
from .taught_flow_loss import TaughtFlowLoss

__all__ = [
    "HallucinationLoss",
    "RefinedFlowLoss",
    "SupervisedFlowLoss",
    "TVL1EnergyLoss",
    "TaughtFlowLoss",
    "UnsupervisedFlowLoss",
]
