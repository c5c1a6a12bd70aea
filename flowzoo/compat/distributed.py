"""Several processes on a machine without GPUs."""

import atexit
import gc
from collections.abc import Callable

import torch
import torch.distributed
from mmengine.device import get_device
from mmengine.dist import utils as dist_utils
from mmengine.model import MMDistributedDataParallel
from torch import nn

from ._patch import wrap

LAUNCHERS = ("pytorch", "mpi", "slurm")


def _leave_group() -> None:
    if torch.distributed.is_initialized():
        gc.collect()  # what mmengine's runner leaves behind holds on to the group
        torch.distributed.destroy_process_group()


def use_gloo_on_cpu() -> None:
    """Answer ``module 'torch._C' has no attribute '_cuda_setDevice'``.

    Or ``No CUDA GPUs are available``, by the build of PyTorch: mmengine's launchers
    select a GPU and start the backend of ``env_cfg``, which is NCCL, whether there is
    a GPU or not. mmengine leaves no group at the end either; gloo's threads then abort
    now and then in a dying interpreter (pytorch/pytorch#179291).
    """

    def make(original: Callable) -> Callable:
        def init(backend: str, *args, **kwargs) -> None:
            if get_device() != "cpu":
                original(backend, *args, **kwargs)
                return
            set_device = torch.cuda.set_device
            torch.cuda.set_device = lambda device: None
            try:
                original("gloo", *args, **kwargs)
            finally:
                torch.cuda.set_device = set_device
            atexit.register(_leave_group)

        return init

    for launcher in LAUNCHERS:
        wrap(dist_utils, f"_init_dist_{launcher}", make)


def wrap_models_on_cpu() -> None:
    """Answer ``device_ids and output_device arguments only work with ... GPU modules``.

    mmengine's Runner always names a GPU for the process's copy of the model.
    """

    def make(original: Callable) -> Callable:
        def __init__(self, module: nn.Module, *args, **kwargs) -> None:  # noqa: N807
            if all(p.device.type == "cpu" for p in module.parameters()):
                kwargs["device_ids"] = None
            original(self, module, *args, **kwargs)

        return __init__

    wrap(MMDistributedDataParallel, "__init__", make)
