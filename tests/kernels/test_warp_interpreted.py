"""The Triton kernels of the warp, interpreted and compiled without a GPU."""

import pytest
from helpers.triton_without_gpu import compiled_resources, run_interpreted

pytest.importorskip("triton")

INTERPRETED = """
import torch
from flowzoo_kernels.warp import gpu, op
from flowzoo_kernels._common import checks
from helpers.huge_strides import huge_strides
from triton.runtime.interpreter import GridExecutor
from helpers.warp_cases import PADDINGS, check_warp, make_inputs, run_warp

gpu.BLOCK = 16
for padding in PADDINGS:
    def warp(image, flow):
        return op._forward(image, flow, padding, "triton")

    for shape, dtype in (
        ((2, 3, 7, 5), torch.float32),
        ((1, 1, 1, 1), torch.float32),
        ((1, 2, 4, 4), torch.float32),
        ((2, 2, 3, 6), torch.float16),
        ((2, 2, 3, 6), torch.bfloat16),
    ):
        check_warp(warp, make_inputs(shape, dtype), padding)
    inputs = make_inputs((2, 3, 6, 5))
    expected = run_warp(warp, *inputs)
    strided = [t.mT.contiguous().mT for t in inputs]
    for name, value in run_warp(warp, *strided).items():
        torch.testing.assert_close(value, expected[name], msg=name)
    image, flow, grad = inputs
    for bad in (torch.nan, torch.inf):
        flow[0, 0, 2, 3] = bad
        assert warp(image, flow).isnan().sum() == 3
    assert warp(image, torch.full_like(flow, 1e12)).isfinite().all()
    assert warp(image[:0], flow[:0]).shape == (0, 3, 6, 5)

torch.use_deterministic_algorithms(True)
for name, value in run_warp(warp, *strided).items():
    torch.testing.assert_close(value, expected[name], msg=name)
torch.use_deterministic_algorithms(False)

# arguments lie on the CPU: no copy back, of gigabytes
GridExecutor._restore_args_dev = lambda *args: None
inputs = make_inputs((3, 3, 3, 3), torch.float16)
expected = run_warp(warp, *inputs)
for dim in range(4):
    image, flow, grad = (huge_strides(t, dim) for t in inputs)
    image.requires_grad_(), flow.requires_grad_()
    out = warp(image, flow)
    grads = torch.autograd.grad(out, [image, flow], grad)
    for got, value in zip((out, *grads), expected.values(), strict=True):
        assert torch.equal(got, value), dim
"""


def test_interpreted():
    run_interpreted(INTERPRETED)


@pytest.mark.parametrize("sm", [80, 90])
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_compiles_without_spills(sm, dtype):
    from flowzoo_kernels.warp import gpu

    pointers = ("image_ptr", "flow_ptr", "out_ptr", "grad_ptr", "flow_grad_ptr")
    types = dict.fromkeys(pointers, f"*{dtype}") | {"image_grad_ptr": "*fp32"}
    for border in (False, True):
        constants = {"BORDER": border, "BLOCK": gpu.BLOCK}
        _, spills = compiled_resources(gpu.forward_kernel, types, constants, sm)
        assert spills == 0
        for needs in ((True, True), (True, False), (False, True)):
            wanted = dict(zip(("IMAGE_GRAD", "FLOW_GRAD"), needs, strict=True))
            _, spills = compiled_resources(
                gpu.backward_kernel, types, constants | wanted, sm
            )
            assert spills == 0
