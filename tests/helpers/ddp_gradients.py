"""A small network, and its gradients in one process or two, for the tests."""

import torch
from repflow_inputs import make_maps
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from flowzoo_kernels import RepresentationFlow

CLIPS = 4


def make_model() -> nn.Module:
    torch.manual_seed(0)
    flow = RepresentationFlow(2, n_iters=5, variant="tvl1", normalize="clip")
    return nn.Sequential(nn.Conv3d(3, 2, 1), flow)


def gradients(model: nn.Module, clips: slice) -> dict[str, torch.Tensor]:
    """Of the mean square over these clips."""
    x = make_maps((CLIPS, 3, 4, 6, 5))[clips] / 255
    model(x).square().mean().backward()
    named = model.named_parameters()
    return {name: p.grad for name, p in named if p.grad is not None}


def worker(rank: int, store: str, queue) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", store, rank=rank, world_size=2)
    model = DistributedDataParallel(make_model())
    half = CLIPS // 2
    found = gradients(model, slice(rank * half, (rank + 1) * half))
    queue.put({k.removeprefix("module."): g.tolist() for k, g in found.items()})
    torch.distributed.destroy_process_group()
