"""The Triton kernel of the motion losses, interpreted and compiled without a GPU."""

import pytest
from helpers.triton_without_gpu import compiled_resources, run_interpreted

pytest.importorskip("triton")

# The interpreter takes half a second for a program, so inputs are small.
INTERPRETED = """
import torch
from helpers.huge_strides import huge_strides
from triton.runtime.interpreter import GridExecutor
from flowzoo_kernels.motion_loss import gpu, op
from helpers.motion_loss_cases import check_loss, make_inputs, run_loss

# on the CPU, where the kernel is interpreted
op.checks.resolve_backend = lambda backend, *_: backend
gpu.PIXELS = 4096

check_loss(make_inputs((1, 1, 2, 9, 8)), "triton")
together = {"terms": ((1, 1, 0.05),)}
check_loss(make_inputs((1, 2, 3, 13, 19)), "triton", normalization="caffe", **together)
check_loss(make_inputs((1, 1, 2, 1, 1)), "triton", **together)
for dtype in (torch.float16, torch.bfloat16):
    check_loss(make_inputs((1, 1, 1, 6, 10), dtype), "triton", **together)
for options in (
    {"ssim_window": 5, "ssim_stride": 7},
    {"ssim_window": 20, "ssim_stride": 20},
    {"border": 0},
):
    check_loss(make_inputs((1, 1, 1, 7, 17)), "triton", **together, **options)
gpu.PIXELS = 64  # one window in a program
check_loss(make_inputs((1, 1, 1, 8, 20)), "triton", **together)
gpu.PIXELS = 4096

# two scales at once, of which the second has fewer programs
first, second = (make_inputs(s) for s in ((1, 1, 2, 9, 8), (1, 1, 2, 3, 4)))
pairs = [list(p) for p in zip(first, second)]
constants = [4, 1, 1, 0.05, 0.4, 255, 0.3, 4, 1e-3, 0.1, 1.3, 4, 1e-4, 1e-3, 16, 30]
arguments = [float(c) for c in 2 * constants], 8, 8, "elements"
triton = op._forward(*pairs, *arguments, "triton", True)
cpu = op._forward(*pairs, *arguments, "cpu", True)
torch.testing.assert_close(triton[:2], cpu[:2])
torch.testing.assert_close(triton[2], cpu[2], rtol=1e-4, atol=1e-5)

inputs = make_inputs((1, 1, 2, 8, 6))
expected = run_loss(inputs, backend="triton")
strided = [t.mT.contiguous().mT for t in inputs]
for name, value in run_loss(strided, backend="triton").items():
    torch.testing.assert_close(value, expected[name], msg=name)
empty = run_loss([t[:0] for t in inputs], backend="triton")
assert empty["loss"] == 0 and empty["flow"].shape == (0, 2, 8, 6)
target, source, flow = inputs
with torch.no_grad():
    loss, _ = op.motion_loss(*inputs, flow_scale=4.0, backend="triton")
    far, _ = op.motion_loss(
        target, source, flow + 1e9, flow_scale=4.0, weights=(1, 0, 1), backend="triton"
    )
    black, _ = op.motion_loss(
        target, 0 * source, flow, flow_scale=4.0, weights=(1, 0, 1), backend="cpu"
    )
torch.testing.assert_close(loss, expected["loss"])
torch.testing.assert_close(far, black)
for name in ("target", "source", "flow"):
    damaged = {"target": target, "source": source, "flow": 0 * flow}
    damaged[name] = damaged[name].clone()
    damaged[name][0, 0, 0, 0] = torch.nan
    try:
        op.motion_loss(**damaged, flow_scale=4.0, backend="triton")
    except ValueError as error:
        assert name in str(error)
    else:
        raise AssertionError("NaN was hidden")

# arguments lie on the CPU: no copy back, of gigabytes
GridExecutor._restore_args_dev = lambda *args: None
inputs = make_inputs((2, 2, 1, 3, 3), torch.float16)
expected = run_loss(inputs, backend="triton")
for dim in range(4):
    target, source, flow = (huge_strides(t, dim) for t in inputs)
    flow.requires_grad_()
    loss, _ = op.motion_loss(target, source, flow, flow_scale=4.0, backend="triton")
    (grad,) = torch.autograd.grad(3 * loss, flow)
    assert torch.equal(grad, expected["flow"]), dim
"""


def test_interpreted():
    run_interpreted(INTERPRETED)


FLOATS = ("scale", "p_alpha", "p_beta", "s_alpha", "s_beta", "eps2", "c1", "c2")
FLOATS += ("p_factor", "s_factor", "ssim_factor")


@pytest.mark.parametrize("sm", [80, 90])
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_compiles_without_spills(sm, dtype):
    from flowzoo_kernels.motion_loss import gpu

    types = dict.fromkeys(("target_ptr", "source_ptr", "flow_ptr"), f"*{dtype}")
    types |= dict.fromkeys(("table_ptr", "gradient_ptr", "sums_ptr"), "*fp32")
    types |= dict.fromkeys(FLOATS, "fp32")
    for side, across, limit in ((8, 4, 128), (32, 1, 255)):
        warps = gpu.warps(side, across)
        for gradient in (True, False):
            constants = {"GRADIENT": gradient, "SIDE": side, "ACROSS": across}
            registers, spills = compiled_resources(
                gpu.motion_loss_kernel, types, constants, sm, warps
            )
            assert spills == 0
            assert registers <= limit
