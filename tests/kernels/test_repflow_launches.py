"""What a call of representation flow on a GPU launches and allocates, without one."""

import collections
from types import SimpleNamespace

import pytest

pytest.importorskip("triton")

import host_time
import torch
from repflow_inputs import make_parameters
from torch.utils._python_dispatch import TorchDispatchMode

from flowzoo_kernels.repflow import gpu, op
from flowzoo_kernels.repflow.gpu.constants import options, warp_size

VARIANTS = ("paper", "tvl1")
SHAPE, GRAD_SHAPE = (2, 3, 4, 14, 14), (2, 6, 3, 14, 14)
VIEWS = {"slice", "detach"}


class CountOperations(TorchDispatchMode):
    """How often each operation of PyTorch runs that is no view."""

    def __init__(self):
        super().__init__()
        self.operations = collections.Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        if name not in VIEWS:
            self.operations[name] += 1
        return function(*args, **kwargs or {})


def counts(function, *arguments) -> tuple[dict[str, int], dict[str, int]]:
    """Kernels of Triton and operations of PyTorch that a call runs."""
    with host_time.stubbed_launches() as kernels, CountOperations() as mode:
        function(*arguments)
    return dict(collections.Counter(kernels)), dict(mode.operations)


@pytest.mark.parametrize("variant", VARIANTS)
def test_forward_allocates_its_result_alone(variant):
    parameters = make_parameters(variant, 3).values()
    kernels, operations = counts(
        gpu.forward, torch.empty(SHAPE), *parameters, None, 20, variant
    )
    assert kernels == {"forward_kernel": 2 if variant == "paper" else 1}
    assert operations == {"new_empty": 1}


def test_an_initial_flow_adds_no_launch_and_its_gradient_alone():
    parameters = make_parameters("tvl1", 3).values()
    arguments = torch.empty(SHAPE), *parameters, torch.empty(GRAD_SHAPE), 20, "tvl1"
    kernels, operations = counts(gpu.forward, *arguments)
    assert kernels == {"forward_kernel": 1}
    assert operations == {"new_empty": 1}
    needs = [False] * 7 + [True]
    kernels, operations = counts(
        gpu.backward, torch.empty(GRAD_SHAPE), *arguments, needs
    )
    assert kernels == {"backward_kernel": 2}
    assert operations == {"new_empty": 8, "empty": 1, "zeros": 1}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("wanted", [(0,), (3, 4, 5, 6), range(7)], ids=str)
def test_backward_makes_what_is_needed(wanted, variant):
    needs = [i in wanted for i in range(8)]
    parameters = make_parameters(variant, 3).values()
    arguments = torch.empty(SHAPE), *parameters, None, 20, variant
    kernels, operations = counts(
        gpu.backward, torch.empty(GRAD_SHAPE), *arguments, needs
    )
    both = variant == "paper" and not needs[2]
    launches = {"backward_kernel": 4 if both else 2}
    if any(needs[1:]):
        launches["parameter_gradients_kernel"] = 1
    assert kernels == launches
    # An empty tensor stands for a gradient that is not needed.
    made = {"new_empty": 8 - needs[0], "empty_like": int(needs[0]), "empty": 1}
    made |= {"zeros": 1, "sum": int(any(needs[1:]))}
    assert operations == {name: count for name, count in made.items() if count}


def test_trained_filters_take_one_kernel():
    """Through autograd, which does not hide from the operator what is trained."""
    x, parameters = torch.empty(SHAPE), make_parameters("paper", 3)
    parameters["flow_kernel"].requires_grad_()
    with host_time.stubbed_launches() as kernels:
        out = op._forward(x, *parameters.values(), None, 20, "paper", "triton")
        torch.autograd.grad(out, parameters["flow_kernel"], torch.ones_like(out))
    assert kernels == [
        "forward_kernel",
        "backward_kernel",
        "backward_kernel",
        "parameter_gradients_kernel",
    ]


def test_more_programs_than_a_grid_has_rows():
    """Grids have one dimension: others end at 65,535."""
    x, parameters = torch.empty(280_000, 1, 2, 7, 7), make_parameters("tvl1", 1)
    grids = []
    with host_time.stubbed_launches(grids):
        gpu.forward(x, *parameters.values(), None, 2, "tvl1")
    ((programs, *others),) = grids
    assert programs > 65_535 and others == [1, 1]


def test_warps_of_64_threads_hold_two_rows_of_patches(monkeypatch):
    """CDNA's; RDNA's have 32, as Nvidia's."""
    plan = gpu.plan_forward(torch.empty(1, 1, 2, 56, 56, device="meta"), 5, False)
    assert options(plan, 32)["num_warps"] == 2 * options(plan, 64)["num_warps"]
    monkeypatch.setattr(torch.version, "hip", "7.0")
    monkeypatch.setattr(
        torch.cuda,
        "get_device_properties",
        lambda size: SimpleNamespace(warp_size=size),
    )
    for size in (32, 64):
        assert warp_size(SimpleNamespace(is_cuda=True, device=size)) == size


def test_plans_are_made_once():
    def misses() -> int:
        functions = gpu.tiling.fit_whole_maps, gpu.tiling.plan_tiling
        return sum(function.cache_info().misses for function in functions)

    x, parameters = torch.empty(1, 1, 2, 130, 131), make_parameters("tvl1", 1).values()
    counts(gpu.forward, x, *parameters, None, 20, "tvl1")
    before = misses()
    counts(gpu.forward, x, *parameters, None, 20, "tvl1")
    assert misses() == before
