"""Variables of TensorFlow checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

# what belongs to an optimizer and not to the network
_OTHERS = ("Adam", "Adam_1", "Momentum", "ExponentialMovingAverage")


def read_variables(path: str | Path) -> dict[str, Tensor]:
    """Variables by name, of a .npz file or, with TensorFlow, of one of its checkpoints.

    Raises:
        ImportError: A checkpoint, without TensorFlow.
    """
    path = Path(path)
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            return {name: torch.from_numpy(file[name]) for name in file.files}
    try:
        from tensorflow.train import load_checkpoint
    except ImportError as error:
        raise ImportError(
            f"reading {path} needs TensorFlow: pip install tensorflow, here or where "
            "you make a .npz of the variables (numpy.savez with their names) to give "
            "instead"
        ) from error
    reader = load_checkpoint(str(path))
    return {
        name: torch.as_tensor(reader.get_tensor(name))
        for name, kind in reader.get_variable_to_dtype_map().items()
        if kind.is_floating
    }


def variables_in(variables: Mapping[str, Tensor], scope: str) -> dict[str, Tensor]:
    """The network's variables in a scope, by their names without it."""
    return {
        name.removeprefix(scope): value
        for name, value in variables.items()
        if name.startswith(scope) and name.rsplit("/", 1)[-1] not in _OTHERS
    }
