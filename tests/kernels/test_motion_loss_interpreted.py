"""The Triton kernel of the motion losses, interpreted on the CPU."""

import pytest
import torch
from helpers.huge_strides import huge_strides
from helpers.motion_loss_cases import check_loss, make_inputs, run_loss

from flowzoo_kernels import motion_loss
from flowzoo_kernels.motion_loss import gpu, op
from flowzoo_kernels.motion_loss.options import Options

# The interpreter takes half a second for a program: inputs are small, programs large,
# and terms are checked together.
TOGETHER = {"terms": ((1, 1, 0.05),)}


@pytest.fixture(autouse=True)
def triton_on_the_cpu(monkeypatch):
    monkeypatch.setattr(op.checks, "resolve_backend", lambda backend, *_: backend)
    monkeypatch.setattr(gpu, "PIXELS", 4096)


def test_each_term():
    check_loss(make_inputs((1, 1, 2, 9, 8)), "triton")


@pytest.mark.parametrize(
    ("shape", "dtype", "options"),
    [
        ((1, 2, 3, 13, 19), torch.float32, {"normalization": "caffe"}),
        ((1, 1, 2, 1, 1), torch.float32, {}),
        ((1, 1, 1, 6, 10), torch.float16, {}),
        ((1, 1, 1, 6, 10), torch.bfloat16, {}),
        ((1, 1, 1, 7, 17), torch.float32, {"ssim_window": 5, "ssim_stride": 7}),
        ((1, 1, 1, 7, 17), torch.float32, {"ssim_window": 20, "ssim_stride": 20}),
        ((1, 1, 1, 7, 17), torch.float32, {"border": 0}),
    ],
    ids=str,
)
def test_shapes_types_and_options(shape, dtype, options):
    check_loss(make_inputs(shape, dtype), "triton", **TOGETHER, **options)


def test_one_window_in_a_program(monkeypatch):
    monkeypatch.setattr(gpu, "PIXELS", 64)
    check_loss(make_inputs((1, 1, 1, 8, 20)), "triton", **TOGETHER)


def test_two_scales_at_once():
    """The second has fewer programs."""
    first, second = (make_inputs(s) for s in ((1, 1, 2, 9, 8), (1, 1, 2, 3, 4)))
    tensors = [t for pair in zip(first, second, strict=True) for t in pair]
    numbers = 2 * Options(4.0, weights=(1, 1, 0.05)).numbers()
    triton = op._forward(tensors, numbers, 8, 8, "elements", "triton", True)
    cpu = op._forward(tensors, numbers, 8, 8, "elements", "cpu", True)
    torch.testing.assert_close(triton[:2], cpu[:2])
    torch.testing.assert_close(triton[2:], cpu[2:], rtol=1e-4, atol=1e-5)


def test_strides_and_empty_batch():
    inputs = make_inputs((1, 1, 2, 8, 6))
    expected = run_loss(inputs, backend="triton")
    strided = [t.mT.contiguous().mT for t in inputs]
    for name, value in run_loss(strided, backend="triton").items():
        torch.testing.assert_close(value, expected[name], msg=name)
    empty = run_loss([t[:0] for t in inputs], backend="triton")
    assert empty["loss"] == 0
    assert empty["flow"].shape == (0, 2, 8, 6)
    loss, _ = motion_loss(*inputs, flow_scale=4.0, backend="triton")
    torch.testing.assert_close(loss, expected["loss"])


def test_flow_far_outside():
    """What a flow reaches outside of the frame is black."""
    target, source, flow = make_inputs((1, 1, 2, 8, 6))
    options = {"flow_scale": 4.0, "weights": (1, 0, 1)}
    far, _ = motion_loss(target, source, flow + 1e9, **options, backend="triton")
    black, _ = motion_loss(target, 0 * source, flow, **options, backend="cpu")
    torch.testing.assert_close(far, black)


@pytest.mark.parametrize("name", ["target", "source", "flow"])
def test_nan_is_not_hidden(name):
    target, source, flow = make_inputs((1, 1, 2, 8, 6))
    inputs = {"target": target, "source": source, "flow": 0 * flow}
    inputs[name][0, 0, 0, 0] = torch.nan
    with pytest.raises(ValueError, match=name):
        motion_loss(**inputs, flow_scale=4.0, backend="triton")


def test_strides_beyond_32_bits(arguments_on_the_cpu):
    inputs = make_inputs((2, 2, 1, 3, 3), torch.float16)
    expected = run_loss(inputs, backend="triton")
    for dim in range(4):
        target, source, flow = (huge_strides(t, dim) for t in inputs)
        flow.requires_grad_()
        loss, _ = motion_loss(target, source, flow, flow_scale=4.0, backend="triton")
        (grad,) = torch.autograd.grad(3 * loss, flow)
        assert torch.equal(grad, expected["flow"]), dim
