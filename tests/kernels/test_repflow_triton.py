"""The Triton kernels without a GPU: interpreted, and compiled for several GPUs.

TRITON_INTERPRET must be set before Triton is imported, so that the interpreted tests
run this file once more in a process of their own.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers.repflow_cases import (
    assert_as_exact_as_eager,
    check_against_reference,
    run_flow,
)
from helpers.repflow_interpreter import fuse_multiply_adds, patch_once
from repflow_inputs import make_maps, make_parameters

from flowzoo_kernels import representation_flow
from flowzoo_kernels.repflow.gpu import tiling
from flowzoo_kernels.repflow.reference import default_kernels

pytest.importorskip("triton")
ROOT = Path(__file__).parents[2]
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
interpreted = pytest.mark.skipif(not INTERPRETED, reason="needs TRITON_INTERPRET=1")
compiled = pytest.mark.skipif(INTERPRETED, reason="cannot compile and interpret")
VARIANTS = ("paper", "tvl1")


@pytest.fixture(autouse=INTERPRETED)
def interpreter(monkeypatch):
    patch_once(monkeypatch)
    fuse_multiply_adds(monkeypatch)


@compiled
def test_interpreted_in_a_process_of_its_own():
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", __file__]
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    run = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-4000:]
    assert "passed" in run.stdout


@interpreted
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "shape",
    [
        (2, 3, 3, 7, 5),
        (1, 1, 2, 1, 1),
        (1, 2, 3, 1, 6),
        (2, 1, 2, 5, 1),
        (1, 1, 3, 2, 2),
        (1, 1, 4, 13, 4),  # strips side by side, the last one not full
        (1, 1, 2, 9, 35),  # strips in several warps, two columns to a thread
        (9, 1, 2, 5, 9),  # more tasks than programs
    ],
    ids=str,
)
def test_shapes(shape, variant):
    check_against_reference("triton", make_maps(shape), variant, 3)


@interpreted
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("n_iters", [1, 2, 7])
def test_iterations(n_iters, variant):
    check_against_reference("triton", make_maps((1, 2, 3, 5, 4)), variant, n_iters)


@interpreted
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_types(dtype):
    check_against_reference("triton", make_maps((1, 2, 3, 5, 4), dtype), "tvl1", 3)


@interpreted
def test_strides_and_empty_batch():
    x = make_maps((2, 3, 4, 5, 6))
    params = make_parameters("tvl1", 3)
    grad = torch.randn(2, 3, 6, 5, 6).transpose(1, 2)
    expected = run_flow("triton", x, params, grad.contiguous(), 3, "tvl1")
    strided = x.permute(0, 4, 2, 1, 3).contiguous().permute(0, 3, 2, 4, 1)
    assert not strided.is_contiguous()
    result = run_flow("triton", strided, params, grad, 3, "tvl1")
    for name, value in expected.items():
        torch.testing.assert_close(result[name], value, rtol=0, atol=0, msg=name)
    empty = run_flow("triton", x[:0], params, grad[:0], 3, "tvl1")
    assert empty["out"].shape == (0, 6, 3, 5, 6)


@interpreted
@pytest.mark.parametrize("wanted", ["x", "image_kernel", "flow_kernel", "tau"])
def test_one_gradient_alone(wanted):
    x, params = make_maps((1, 2, 3, 5, 4)), make_parameters("paper", 2)
    grad = torch.randn(1, 4, 2, 5, 4)
    expected = run_flow("triton", x, params, grad, 3, "paper")[wanted]
    leaves = {"x": x, **params}
    leaves[wanted].requires_grad_()
    out = representation_flow(*leaves.values(), 3, "paper", "triton")
    (got,) = torch.autograd.grad(out, leaves[wanted], grad)
    torch.testing.assert_close(got, expected, rtol=1e-6, atol=1e-6)


@interpreted
def test_nan_is_not_hidden():
    x = make_maps((2, 1, 2, 5, 4))
    x[1, 0, 1, 2, 2] = torch.nan
    params = make_parameters("tvl1", 1).values()
    out = representation_flow(x, *params, 3, "tvl1", "triton")
    assert out[0].isfinite().all()
    assert out[1].isnan().any()


@interpreted
def test_sobel_filters_have_a_kernel_of_their_own():
    x, params = make_maps((1, 1, 3, 7, 5)), make_parameters("paper", 1)
    params["flow_kernel"] = default_kernels("paper", 1)[1]
    grad = torch.randn(1, 2, 2, 7, 5)
    result = run_flow("triton", x, params, grad, 4, "paper")
    eager = run_flow("reference", x, params, grad, 4, "paper")
    exact = run_flow("reference", x, params, grad, 4, "paper", torch.float64)
    for name in ("out", "x", "image_kernel", "flow_kernel", "div_kernel"):
        assert_as_exact_as_eager(name, result[name], eager[name], exact[name])


def force_windows(monkeypatch, shape: tiling.Shape, iterations: int) -> None:
    """No program holds a map; so many iterations a launch, where they fit."""
    for limits in ("FORWARD", "BACKWARD"):
        monkeypatch.setattr(tiling, limits, tiling.Limits(0, 0))
    for window in ("FORWARD_WINDOW", "BACKWARD_WINDOW"):
        monkeypatch.setattr(tiling, window, shape)
    monkeypatch.setattr(tiling, "MOST_ITERATIONS", iterations)
    monkeypatch.setattr(tiling, "LAUNCH_SECONDS", 1)


@interpreted
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("shape", "n_iters"), [((1, 1, 3, 5, 4), 5), ((2, 1, 2, 2, 1), 1)], ids=str
)
def test_several_launches(shape, n_iters, variant, monkeypatch):
    """Clip by clip, with fewer places for states than there are launches."""
    from flowzoo_kernels.repflow import gpu

    force_windows(monkeypatch, tiling.Shape(2, 4, 1, True, False, 1), 1)
    monkeypatch.setattr(gpu, "STATES", 3)
    monkeypatch.setattr(gpu, "STATE_BYTES", 1)
    check_against_reference("triton", make_maps(shape), variant, n_iters)


@interpreted
@pytest.mark.parametrize("variant", VARIANTS)
def test_windows(variant, monkeypatch):
    """Several in both directions and several launches, the last one shorter."""
    window = tiling.Shape(4, 4, 1, True, False, 1)
    force_windows(monkeypatch, window, 2)
    for cost in (tiling.FORWARD_COST, tiling.BACKWARD_COST):
        cost = cost[variant == "paper"]
        plan = tiling.plan_windows(19, 41, 1, 5, window, cost)
        assert plan.iterations == 2
        assert min(plan.down, plan.across) > 1
    check_against_reference("triton", make_maps((1, 1, 2, 19, 41)), variant, 5)


def test_double_precision_is_refused():
    x = make_maps((1, 1, 2, 4, 4), torch.float64)
    params = make_parameters("tvl1", 1, torch.float64).values()
    with pytest.raises(NotImplementedError, match="triton"):
        representation_flow(x, *params, 3, "tvl1", "triton")


def test_whole_maps_fit():
    for h, w in ((1, 1), (7, 7), (14, 14), (16, 9), (28, 28), (56, 56), (64, 64)):
        for pairs in (1, 3, 10_000):
            shape = tiling.fit_whole_maps(h, w, pairs, tiling.FORWARD)
            lanes, strips = -(-w // shape.COLS), -(-h // shape.ROWS)
            if shape.TALL:
                room = shape.GROUPS // strips * (32 // lanes)
            else:
                room = shape.GROUPS * (32 // lanes // strips)
            assert shape.maps <= min(room, pairs)
            assert (h % shape.ROWS == 0 and w % shape.COLS == 0) == shape.EXACT
            assert tiling.FORWARD.pixels >= shape.ROWS * shape.COLS
    assert tiling.fit_whole_maps(65, 65, 1, tiling.FORWARD) is None


@pytest.mark.parametrize("paper", [False, True])
@pytest.mark.parametrize("kind", ["FORWARD", "BACKWARD"])
@pytest.mark.parametrize("size", [(65, 65), (112, 112), (1080, 1920), (3, 500)])
def test_windows_cover_maps(size, kind, paper):
    window = getattr(tiling, f"{kind}_WINDOW")
    cost = getattr(tiling, f"{kind}_COST")[paper]
    plan = tiling.plan_windows(*size, 480, 20, window, cost)
    shared = plan.before + plan.after
    for pixels, windows, length in (
        (size[0], plan.down, window.GROUPS * window.ROWS),
        (size[1], plan.across, tiling.LANES * window.COLS),
    ):
        assert (windows - 1) * (length - shared) + length >= pixels


@compiled
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("kind", "target", "size"),
    [
        ("forward", "sm_80", 14),
        ("forward", "sm_90", 14),  # 7 x 7 has the same kernel
        ("forward", "sm_90", 28),
        ("forward", "sm_90", 56),
        ("backward", "sm_90", 14),
        ("backward", "sm_80", 28),
        ("backward", "sm_90", 56),  # 112 x 112 has the same kernel
    ],
)
def test_compiles_without_spills(kind, target, size, variant):
    module = compile_repflow()
    row = module.compile_one(
        kind, variant, target, size, "float32", launches=module.LAUNCHES[:1]
    )
    assert row["spills"] == 0, row
    limit = {"forward": 70, "backward": 220}[kind]
    assert row["per pixel and iteration"] <= limit


@compiled
@pytest.mark.parametrize("kind", ["forward", "backward"])
def test_compiles_where_every_size_is_one(kind):
    """Triton makes a constant of an argument that is 1."""
    module = compile_repflow()
    kernel = {
        "forward": module.gpu.forward_kernel,
        "backward": module.gpu.backward_kernel,
    }[kind]
    shape = tiling.fit_whole_maps(1, 1, 1, tiling.FORWARD)
    plan = tiling.one_window(shape, 1)
    constants = module.gpu.constants(plan, "tvl1", False)
    warps = constants.pop("num_warps")
    constants |= {"FIRST": True, "LAST": True, "SUMS": 64}
    for name in kernel.arg_names:
        if name.startswith("NEED"):
            constants[name] = True
        elif not name.endswith("_ptr"):
            constants.setdefault(name, 1)
    constants = {k: v for k, v in constants.items() if k in kernel.arg_names}
    source = module.source_of(kernel, "float32", constants)
    target = module.target_of("sm_90")
    assert module.triton.compile(source, target=target, options={"num_warps": warps})


def compile_repflow():
    path = ROOT / "benchmarks" / "compile_repflow.py"
    spec = importlib.util.spec_from_file_location("compile_repflow", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
