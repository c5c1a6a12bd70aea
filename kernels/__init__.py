"""FlowZoo's operators and modules; needs torch only, Triton and Numba when used."""

from .modules import RepresentationFlow
from .repflow import representation_flow

__all__ = ["RepresentationFlow", "representation_flow"]
