"""Iterations between given states on the CPU: launch and kernels, in Numba.

As forward.py and backward.py, but rho and the image gradient are given, and the state
before the iterations; the whole state after them is the result. s, w, i: see layout.py.
"""

import numpy as np
import torch
from torch import Tensor

from ..._common.simd import JIT, LANES, cached_njit, njit, vload, vstore
from ..._common.threads import run_tasks
from ..parameter_gradients import parameter_gradients
from ..recompute_schedule import schedule
from ..reference import EPS
from . import kept_states, prepare, scratch_planes, storage
from .forward import FORWARD_PLANES, STATE, iterate
from .iteration_backward import (
    GX_GRAD,
    GY_GRAD,
    P11,
    RHO_GRAD,
    STATES,
    SUM_FLOW,
    U1_OLD,
    iterate_backward,
)
from .layout import (
    FLOW_TAPS,
    GX,
    GY,
    NEG_INV_G2,
    RHO,
    STATE_PLANES,
    make_grid,
    pack,
    row,
    unpack_lane,
)
