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
from repflow_cases import check_against_reference, make_maps, make_parameters, run_flow

from flowzoo_kernels import representation_flow
from flowzoo_kernels._common import launch

pytest.importorskip("triton")
ROOT = Path(__file__).parents[2]
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
interpreted = pytest.mark.skipif(not INTERPRETED, reason="needs TRITON_INTERPRET=1")
compiled = pytest.mark.skipif(INTERPRETED, reason="cannot compile and interpret")
VARIANTS = ("paper", "tvl1")


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
        (1, 1, 2, 8, 8),  # exactly a block: paper needs one element more
        (12, 2, 3, 5, 5),  # more tasks than programs
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
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("shape", "n_iters"), [((1, 1, 3, 5, 4), 4), ((2, 1, 2, 2, 1), 1)], ids=str
)
def test_maps_that_do_not_fit_in_registers(shape, n_iters, variant, monkeypatch):
    from flowzoo_kernels.repflow import gpu_launch

    monkeypatch.setattr(launch, "pack", lambda *_: None)
    monkeypatch.setattr(gpu_launch, "LARGE_BLOCK", 16)
    monkeypatch.setattr(gpu_launch, "LARGE_STATE_BYTES", 1)  # clip by clip
    check_against_reference("triton", make_maps(shape), variant, n_iters)


def test_double_precision_is_refused():
    x = make_maps((1, 1, 2, 4, 4), torch.float64)
    params = make_parameters("tvl1", 1, torch.float64).values()
    with pytest.raises(NotImplementedError, match="triton"):
        representation_flow(x, *params, 3, "tvl1", "triton")


def test_packing():
    for size in (1, 7, 49, 64, 196, 256, 784, 1024, 2047, 2048):
        for maps in (1, 3, 10_000):
            for spare in (0, 1):
                packed = launch.pack(size, maps, spare)
                if packed is None:
                    assert size + spare > launch.MAX_BLOCK
                    continue
                planes, block, warps = packed
                assert planes * size + spare <= block
                assert planes <= maps
                assert warps * 32 * launch.PIXELS_PER_THREAD >= min(block, 128)


@compiled
@pytest.mark.parametrize(
    ("kind", "variant", "limit"),
    [
        ("forward", "tvl1", 70),
        ("forward", "paper", 125),
        ("backward", "tvl1", 150),
        ("backward", "paper", 235),
    ],
)
@pytest.mark.parametrize("target", ["sm_80", "sm_90"])
def test_compiles_without_spills(kind, variant, limit, target):
    row = compile_repflow().compile_one(kind, variant, target, 14, "float32")
    assert row["spills"] == 0
    assert row["per pixel and iteration"] <= limit


@compiled
def test_kernels_of_large_maps_compile_without_spills():
    for row in compile_repflow().compile_large("paper", "sm_90"):
        assert row["spills"] == 0, row


@compiled
def test_compiles_where_every_size_is_one():
    """Triton makes a constant of an argument that is 1."""
    module = compile_repflow()
    for kernel in (module.gpu.forward_kernel, module.gpu.backward_kernel):
        constants = {"PAPER": False, "BLOCK": 64, "SUMS": 64}
        for name in kernel.arg_names:
            if name.startswith("NEED"):
                constants[name] = True
            elif not name.endswith("_ptr") and name != "never":
                constants.setdefault(name, 1)
        constants = {k: v for k, v in constants.items() if k in kernel.arg_names}
        source = module.source_of(kernel, "float32", constants)
        target = module.target_of("sm_90")
        assert module.triton.compile(source, target=target, options={"num_warps": 1})


def compile_repflow():
    path = ROOT / "benchmarks" / "compile_repflow.py"
    spec = importlib.util.spec_from_file_location("compile_repflow", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
