"""The Triton kernels of representation flow, interpreted on the CPU."""

import pytest
import torch
from helpers.repflow_cases import (
    assert_as_exact_as_eager,
    check_against_reference,
    run_flow,
)
from helpers.triton_interpreter import fuse_multiply_adds, patch_once
from repflow_inputs import make_maps, make_parameters

from flowzoo_kernels import representation_flow
from flowzoo_kernels.repflow import gpu
from flowzoo_kernels.repflow.gpu import tiling
from flowzoo_kernels.repflow.reference import default_kernels

VARIANTS = ("paper", "tvl1")


@pytest.fixture(autouse=True)
def interpreter(monkeypatch):
    patch_once(monkeypatch)
    fuse_multiply_adds(monkeypatch)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "shape",
    [
        (2, 2, 3, 7, 5),
        (1, 1, 2, 1, 1),
        (1, 2, 3, 1, 6),
        (2, 1, 2, 5, 1),
        (1, 1, 3, 2, 2),
        (1, 1, 4, 13, 4),  # strips side by side, the last one not full
        (1, 1, 2, 9, 35),  # strips in several warps, two columns to a thread
        pytest.param(  # more tasks than programs
            (9, 1, 2, 5, 9), marks=pytest.mark.slow
        ),
    ],
    ids=str,
)
def test_shapes(shape, variant):
    check_against_reference("triton", make_maps(shape), variant, 3)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("n_iters", [1, 2, 7])
def test_iterations(n_iters, variant):
    check_against_reference("triton", make_maps((1, 1, 3, 5, 4)), variant, n_iters)


@pytest.mark.parametrize(
    ("shape", "variant", "n_iters"),
    [
        ((2, 1, 3, 7, 5), "paper", 3),
        ((1, 2, 3, 9, 5), "tvl1", 3),
        ((1, 1, 2, 1, 1), "tvl1", 1),
    ],
    ids=str,
)
def test_initial_flow(shape, variant, n_iters):
    check_against_reference("triton", make_maps(shape), variant, n_iters, initial=True)


def test_types_and_strides_of_an_initial_flow():
    x, params = make_maps((1, 2, 2, 3, 4)), make_parameters("tvl1", 2).values()
    flow = torch.randn(1, 4, 1, 3, 4).half().requires_grad_()
    results = []
    for given in (flow, flow.float(), flow.double(), flow.mT.contiguous().mT):
        out = representation_flow(x, *params, 2, "tvl1", "triton", given)
        results.append((out, *torch.autograd.grad(out.square().sum(), flow)))
    for out, grad in results:
        torch.testing.assert_close(out, results[0][0], rtol=0, atol=0)
        torch.testing.assert_close(grad, results[0][1], rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_types(dtype):
    check_against_reference("triton", make_maps((1, 2, 3, 5, 4), dtype), "tvl1", 3)


def test_strides_and_empty_batch():
    x = make_maps((2, 2, 3, 5, 6))
    params = make_parameters("tvl1", 2)
    grad = torch.randn(2, 2, 4, 5, 6).transpose(1, 2)
    expected = run_flow("triton", x, params, grad.contiguous(), 3, "tvl1")
    strided = x.permute(0, 4, 2, 1, 3).contiguous().permute(0, 3, 2, 4, 1)
    assert not strided.is_contiguous()
    result = run_flow("triton", strided, params, grad, 3, "tvl1")
    for name, value in expected.items():
        torch.testing.assert_close(result[name], value, rtol=0, atol=0, msg=name)
    empty = run_flow("triton", x[:0], params, grad[:0], 3, "tvl1")
    assert empty["out"].shape == (0, 4, 2, 5, 6)


def test_one_gradient_alone():
    x, params = make_maps((1, 2, 3, 5, 4)), make_parameters("paper", 2)
    grad = torch.randn(1, 4, 2, 5, 4)
    expected = run_flow("triton", x, params, grad, 3, "paper")
    for wanted in ("x", "image_kernel", "flow_kernel", "tau"):
        leaves = {"x": x, **params}
        leaves[wanted] = leaves[wanted].clone().requires_grad_()
        out = representation_flow(*leaves.values(), 3, "paper", "triton")
        (got,) = torch.autograd.grad(out, leaves[wanted], grad)
        torch.testing.assert_close(
            got, expected[wanted], rtol=1e-6, atol=1e-6, msg=wanted
        )


def test_nan_is_not_hidden():
    x = make_maps((2, 1, 2, 5, 4))
    x[1, 0, 1, 2, 2] = torch.nan
    params = make_parameters("tvl1", 1).values()
    out = representation_flow(x, *params, 3, "tvl1", "triton")
    assert out[0].isfinite().all()
    assert out[1].isnan().any()


def test_sobel_filters_have_a_kernel_of_their_own():
    x, params = make_maps((1, 1, 3, 7, 5)), make_parameters("paper", 1)
    params["flow_kernel"] = default_kernels("paper", 1)[1]
    grad = torch.randn(1, 2, 2, 7, 5)
    arguments = x, params, grad, 4, "paper"
    result = run_flow("triton", *arguments, frozen="flow_kernel")
    eager = run_flow("reference", *arguments)
    exact = run_flow("reference", *arguments, dtype=torch.float64)
    for name in ("out", "x", "image_kernel", "div_kernel"):
        assert_as_exact_as_eager(name, result[name], eager[name], exact[name])


def force_tiles(monkeypatch, shape: tiling.Shape, iterations: int) -> None:
    """No program holds a map; so many iterations a launch, where they fit."""
    for limits in ("FORWARD", "BACKWARD"):
        monkeypatch.setattr(tiling, limits, tiling.Limits(0, 0))
    for tile in ("FORWARD_TILE", "BACKWARD_TILE"):
        monkeypatch.setattr(tiling, tile, shape)
    monkeypatch.setattr(tiling, "MOST_ITERATIONS", iterations)
    monkeypatch.setattr(tiling, "LAUNCH_SECONDS", 1)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("shape", "n_iters"),
    [
        pytest.param((1, 1, 3, 5, 4), 4, marks=pytest.mark.slow),
        ((2, 1, 2, 2, 1), 1),
    ],
    ids=str,
)
def test_several_launches(shape, n_iters, variant, monkeypatch):
    """Clip by clip, with fewer slots for states than there are launches."""
    force_tiles(monkeypatch, tiling.Shape(2, 4, 1, True, False, 1), 1)
    monkeypatch.setattr(gpu.launches, "STATES", 3)
    monkeypatch.setattr(gpu, "STATE_BYTES", 1)
    check_against_reference("triton", make_maps(shape), variant, n_iters)


@pytest.mark.parametrize("initial", [pytest.param(False, marks=pytest.mark.slow), True])
@pytest.mark.parametrize("variant", VARIANTS)
def test_tiles(variant, initial, monkeypatch):
    """Several in both directions and several launches, the last one shorter."""
    tile = tiling.Shape(4, 4, 1, True, False, 1)
    force_tiles(monkeypatch, tile, 2)
    for cost in (tiling.FORWARD_COST, tiling.BACKWARD_COST):
        cost = cost[variant == "paper"]
        plan = tiling.plan_tiling(19, 41, 1, 3, tile, cost, 2)
        assert plan.iterations == 2
        assert min(plan.down, plan.across) > 1
    x = make_maps((1, 1, 2, 19, 41))
    check_against_reference("triton", x, variant, 3, initial)
