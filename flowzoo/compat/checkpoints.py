"""Loading checkpoints of mmengine under PyTorch's ``weights_only=True``."""

import pickle
from collections.abc import Callable

import numpy as np
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler

METHODS = {
    HistoryBuffer: ("min", "max", "current", "mean"),
    OneCycleParamScheduler: ("_annealing_cos", "_annealing_linear"),
}
DTYPES = ("f8", "f4", "f2", "i8", "i4", "u1", "?")


def _getattr_of_known_methods(owner: type, name: str) -> Callable:
    """Stand-in for ``getattr`` in checkpoints, which must not reach anything else."""
    if isinstance(owner, type) and name in METHODS.get(owner, ()):
        return getattr(owner, name)
    raise pickle.UnpicklingError(
        f"a checkpoint may not ask for attribute {name!r} of {owner!r}"
    )


def allow_mmengine_checkpoints() -> None:
    """Answer ``Weights only load failed ... Unsupported global: GLOBAL mmengine...``.

    mmengine's checkpoints hold more than weights: the log's history, and with it numpy
    arrays and references to methods, and the ``metainfo`` of the dataset, which may
    be a piece of the config. What they need, and nothing else, is allowed; a file that
    asks for other code is still rejected.
    """
    arrays = [np.ndarray, np.dtype, *(type(np.dtype(name)) for name in DTYPES)]
    # their module was called numpy.core in numpy 1 and is numpy._core in numpy 2
    pickling = [value.__reduce__()[0] for value in (np.zeros(1), np.float64(0))]
    functions = [
        (function, f"numpy.{core}.multiarray.{function.__name__}")
        for function in pickling
        for core in ("core", "_core")
    ]
    torch.serialization.add_safe_globals(
        [
            *METHODS,
            ConfigDict,
            *arrays,
            *functions,
            (_getattr_of_known_methods, "builtins.getattr"),
        ]
    )
