"""Processes on a CPU."""

import pytest
import torch
from helpers.python_process import python
from mmengine.dist import utils as dist_utils
from mmengine.model import MMDistributedDataParallel

from flowzoo import compat
from flowzoo.compat import distributed

GROUP = """
import atexit, os, torch
os.environ.update(RANK='0', LOCAL_RANK='0', WORLD_SIZE='1',
                  MASTER_ADDR='127.0.0.1', MASTER_PORT='0')
atexit.register(lambda: print('group at exit:', torch.distributed.is_initialized()))
import flowzoo
from mmengine.dist import init_dist, utils
from mmengine.model import BaseModel, MMDistributedDataParallel as DDP
select_gpu = torch.cuda.set_device
try:
    utils._init_dist_pytorch.__wrapped__('nccl')
except Exception as error:
    print('without:', type(error).__name__)
init_dist('pytorch', backend='nccl')
print(torch.distributed.get_backend(), torch.cuda.set_device is select_gpu)
module = torch.nn.Linear(1, 1)
try:
    DDP.__init__.__wrapped__(DDP.__new__(DDP), module=module, device_ids=[0])
except ValueError as error:
    print('without:', str(error)[:34])
print(DDP(module=module, device_ids=[0]).device_ids)
"""


@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a GPU")
def test_process_group_and_model_wrapper_on_cpu():
    done = python(GROUP)
    assert done.returncode == 0, done.stderr
    without_gpu, group, without_model, device_ids, at_exit = done.stdout.splitlines()
    assert without_gpu in ("without: AttributeError", "without: RuntimeError")
    assert group == "gloo True"
    assert without_model == "without: DistributedDataParallel device_ids"
    assert device_ids == "None"
    assert at_exit == "group at exit: False"


def test_every_launcher_is_covered():
    for launcher in ("pytorch", "mpi", "slurm"):
        assert hasattr(getattr(dist_utils, f"_init_dist_{launcher}"), "__wrapped__")
    assert hasattr(MMDistributedDataParallel.__init__, "__wrapped__")


def test_backend_of_the_config_is_kept_on_gpus(monkeypatch):
    asked_for = []
    with monkeypatch.context() as patch:
        patch.setattr(dist_utils, "_init_dist_pytorch", asked_for.append)
        patch.setattr(distributed, "get_device", lambda: "cuda")
        compat.use_gloo_on_cpu()
        dist_utils._init_dist_pytorch("nccl")
    assert asked_for == ["nccl"]
