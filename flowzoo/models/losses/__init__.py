"""Losses, registered with mmaction2."""

from .flow_losses import SupervisedFlowLoss, UnsupervisedFlowLoss

__all__ = ["SupervisedFlowLoss", "UnsupervisedFlowLoss"]
