"""The Triton kernels of the warp, interpreted on the CPU."""

import pytest
import torch
from helpers.huge_strides import huge_strides
from helpers.warp_cases import PADDINGS, check_warp, make_inputs, run_warp

from flowzoo_kernels.warp import gpu, op

pytestmark = pytest.mark.parametrize("padding", PADDINGS)


@pytest.fixture
def warp(padding, monkeypatch):
    monkeypatch.setattr(gpu, "BLOCK", 16)
    return lambda image, flow: op._forward(image, flow, padding, "triton")


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((2, 3, 7, 5), torch.float32),
        ((1, 1, 1, 1), torch.float32),
        ((1, 2, 4, 4), torch.float32),
        ((2, 2, 3, 6), torch.float16),
        ((2, 2, 3, 6), torch.bfloat16),
    ],
    ids=str,
)
def test_shapes_and_types(warp, padding, shape, dtype):
    check_warp(warp, make_inputs(shape, dtype), padding)


@pytest.mark.parametrize("deterministic", [False, True])
def test_strides(warp, deterministic):
    inputs = make_inputs((2, 3, 6, 5))
    expected = run_warp(warp, *inputs)
    strided = [t.mT.contiguous().mT for t in inputs]
    torch.use_deterministic_algorithms(deterministic)
    try:
        result = run_warp(warp, *strided)
    finally:
        torch.use_deterministic_algorithms(False)
    for name, value in result.items():
        torch.testing.assert_close(value, expected[name], msg=name)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_bad_values_are_not_hidden(warp, bad):
    image, flow, _ = make_inputs((2, 3, 6, 5))
    flow[0, 0, 2, 3] = bad
    assert warp(image, flow).isnan().sum() == 3


def test_flow_far_outside_and_empty_batch(warp):
    image, flow, _ = make_inputs((2, 3, 6, 5))
    assert warp(image, torch.full_like(flow, 1e12)).isfinite().all()
    assert warp(image[:0], flow[:0]).shape == (0, 3, 6, 5)


@pytest.mark.parametrize("dim", range(4))
def test_strides_beyond_32_bits(warp, dim, arguments_on_the_cpu):
    inputs = make_inputs((3, 3, 3, 3), torch.float16)
    expected = run_warp(warp, *inputs)
    image, flow, grad = (huge_strides(t, dim) for t in inputs)
    image.requires_grad_(), flow.requires_grad_()
    out = warp(image, flow)
    grads = torch.autograd.grad(out, [image, flow], grad)
    for got, value in zip((out, *grads), expected.values(), strict=True):
        assert torch.equal(got, value), dim
