"""Loading checkpoints of mmengine under PyTorch's ``weights_only=True``."""

import pickle
from collections.abc import Callable

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler

METHODS = {
    HistoryBuffer: ("min", "max", "current", "mean"),
    OneCycleParamScheduler: ("_annealing_cos", "_annealing_linear"),
}
DTYPES = ("f8", "f4", "f2", "i8", "i4", "u1", "?")


def _getattr_of_known_methods(owner: type, name: str) -> Callable:
    """Stand-in for ``getattr`` in checkpoints, which must not reach anything else."""
    if name in METHODS.get(owner, ()) if isinstance(owner, type) else False:
        return getattr(owner, name)
    raise pickle.UnpicklingError(
        f"a checkpoint may not ask for attribute {name!r} of {owner!r}"
    )


def allow_mmengine_checkpoints() -> None:
    """Answer ``Weights only load failed ... Unsupported global: GLOBAL mmengine...``.

    mmengine's checkpoints hold the log's history next to the weights, and with it
    numpy arrays and references to methods. What they need, and nothing else, is
    allowed; a file that asks for other code is still refused.
    """
    from numpy._core import multiarray

    arrays = [np.ndarray, np.dtype, *(type(np.dtype(name)) for name in DTYPES)]
    # numpy 1 called the module numpy.core, numpy 2 calls it numpy._core
    functions = [
        (getattr(multiarray, function), f"numpy.{core}.multiarray.{function}")
        for function in ("_reconstruct", "scalar")
        for core in ("core", "_core")
    ]
    torch.serialization.add_safe_globals(
        [*METHODS, *arrays, *functions, (_getattr_of_known_methods, "builtins.getattr")]
    )
