"""Checkpoints of mmengine load with weights_only, and hostile ones do not."""

import io
import pickle

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from mmengine.optim import OptimWrapper
from mmengine.optim.scheduler import OneCycleLR


def round_trip(obj):
    buffer = io.BytesIO()
    torch.save(obj, buffer)
    buffer.seek(0)
    return torch.load(buffer)


@pytest.fixture
def without_safe_globals():
    allowed = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    yield
    torch.serialization.add_safe_globals(allowed)


def history():
    buffer = HistoryBuffer()
    for value in (3.0, 1.0, 2.0):
        buffer.update(value)
    return buffer


def test_history_is_rejected_without_the_fix(without_safe_globals):
    with pytest.raises(pickle.UnpicklingError, match="Unsupported global"):
        round_trip(history())


def test_history_loads():
    loaded = round_trip(history())
    assert loaded.statistics("min") == 1
    assert loaded.statistics("mean") == 2


@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_one_cycle_scheduler_loads(strategy):
    parameter = torch.nn.Parameter(torch.zeros(1))
    wrapper = OptimWrapper(torch.optim.SGD([parameter], lr=0.1))
    scheduler = OneCycleLR(
        wrapper, eta_max=0.1, total_steps=9, anneal_strategy=strategy
    )
    state = round_trip(scheduler.state_dict())
    assert state["anneal_func"](0.0, 1.0, 1.0) == 1


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "i4", "u1", "?"])
def test_numpy_values_load(dtype):
    array = np.arange(3).astype(dtype)
    np.testing.assert_array_equal(round_trip(array), array)
    assert round_trip(array[1]) == array[1]


def test_metainfo_from_a_config_loads():
    metainfo = ConfigDict(classes=["a"], colors={"a": {"rgb": [1, 2, 3]}})
    assert round_trip({"dataset_meta": metainfo})["dataset_meta"] == metainfo


def test_numpy_values_of_older_files_load():
    """Files written with numpy 1 name numpy.core, which numpy 2 has renamed."""
    buffer = io.BytesIO()
    torch.save(np.arange(3.0), buffer, _use_new_zipfile_serialization=False)
    old = buffer.getvalue().replace(b"numpy._core.multi", b"numpy.core.multi")
    assert b"numpy.core.multiarray" in old
    np.testing.assert_array_equal(torch.load(io.BytesIO(old)), np.arange(3.0))


class Hostile:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "hostile",
    [
        Hostile(eval, "1 + 1"),
        Hostile(getattr, HistoryBuffer, "__init__"),
        Hostile(getattr, HistoryBuffer, "__subclasses__"),
        Hostile(getattr, np.ndarray, "tofile"),
        Hostile(getattr, "text", "format"),
    ],
)
def test_hostile_checkpoint_is_rejected(hostile):
    with pytest.raises(pickle.UnpicklingError):
        round_trip(hostile)
