"""FlowZoo's operators and modules; needs torch only, Triton and Numba when used."""

from .modules import BackwardWarp, MotionLoss, RepresentationFlow
from .motion_loss import motion_loss, multiscale_motion_loss
from .repflow import representation_flow
from .tvl1_flow import TVNet, tvl1_energy, tvl1_flow
from .warp import backward_warp

__all__ = [
    "BackwardWarp",
    "MotionLoss",
    "RepresentationFlow",
    "TVNet",
    "backward_warp",
    "motion_loss",
    "multiscale_motion_loss",
    "representation_flow",
    "tvl1_energy",
    "tvl1_flow",
]
