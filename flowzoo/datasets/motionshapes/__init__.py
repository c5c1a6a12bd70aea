"""MotionShapes: eight classes of pure motion, generated on first use.

``python -m flowzoo.datasets.motionshapes`` generates a set by hand. :mod:`.clip` says
how clips are made, :mod:`.files` how they are stored, :mod:`.flow` how their true flow
is found again.
"""

from .clip import CLASSES, Clip, render_clip
from .files import SPLITS, MotionShapesSpec, prepare
from .flow import true_flow

__all__ = [
    "CLASSES",
    "SPLITS",
    "Clip",
    "MotionShapesSpec",
    "prepare",
    "render_clip",
    "true_flow",
]
