"""FlowZoo's operators and modules; needs torch only, Triton and Numba when used."""

from .modules import BackwardWarp, RepresentationFlow
from .repflow import representation_flow
from .warp import backward_warp

__all__ = [
    "BackwardWarp",
    "RepresentationFlow",
    "backward_warp",
    "representation_flow",
]
