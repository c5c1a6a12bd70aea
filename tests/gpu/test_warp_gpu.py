"""The warp's kernels on a GPU, against the float64 reference."""

import pytest
import torch
from helpers.warp_cases import PADDINGS, check_warp, make_inputs, run_warp

from flowzoo_kernels import BackwardWarp, backward_warp

SHAPES = [
    (2, 3, 7, 5),
    (1, 1, 1, 1),
    (1, 2, 1, 6),
    (2, 1, 5, 1),
    (3, 4, 17, 9),
    (1, 2, 16, 16),  # a whole program
    (1, 2, 15, 17),  # a pixel less
    (1, 2, 1, 257),  # a pixel more
    (2, 5, 130, 97),
    (80, 3, 28, 28),
]


def gpu_inputs(shape, dtype=torch.float32, **options):
    return [t.cuda() for t in make_inputs(shape, dtype, **options)]


def triton(padding):
    return lambda image, flow: backward_warp(image, flow, padding, "triton")


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes(shape, padding):
    check_warp(triton(padding), gpu_inputs(shape), padding)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_types(dtype, padding):
    check_warp(triton(padding), gpu_inputs((2, 3, 21, 34), dtype), padding)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("kind", ["integer", "outside", "border"])
def test_special_flows(kind, padding):
    image, flow, grad = gpu_inputs((2, 3, 13, 18))
    if kind == "integer":
        flow = flow.round()
    elif kind == "outside":
        flow = flow + 40
    else:  # within one pixel of the border
        flow = torch.zeros_like(flow)
        flow[:, :, 0], flow[:, 0, :, -1] = -0.375, 0.625
        flow[:, 1, -1], flow[:, 0, :, 0] = 0.25, -0.875
    check_warp(triton(padding), (image, flow, grad), padding)


@pytest.mark.parametrize("padding", PADDINGS)
def test_not_a_number(padding):
    image, flow, _ = gpu_inputs((1, 2, 6, 7))
    expected = triton(padding)(image, flow)
    for bad in (torch.nan, torch.inf, -torch.inf):
        flow[0, 0, 2, 3] = bad
        out = triton(padding)(image, flow)
        wrong = out.isnan()
        assert wrong.sum() == 2
        assert torch.equal(out[~wrong], expected[~wrong])
    for huge in (1e12, -1e30):
        assert triton(padding)(image, torch.full_like(flow, huge)).isfinite().all()


def test_strides_and_empty():
    image, flow, grad = gpu_inputs((3, 2, 26, 35))
    expected = run_warp(triton("zeros"), image, flow, grad)
    layouts = {
        "channels last": [t.contiguous(memory_format=torch.channels_last) for t in
                          (image, flow, grad)],
        "a slice": [torch.stack([t, t + 1], -1)[..., 0] for t in (image, flow, grad)],
        "transposed": [t.mT.contiguous().mT for t in (image, flow, grad)],
    }  # fmt: skip
    for layout, inputs in layouts.items():
        result = run_warp(triton("zeros"), *inputs)
        for name in ("out", "flow"):
            assert torch.equal(result[name], expected[name]), (layout, name)
        torch.testing.assert_close(result["image"], expected["image"])
    empty = run_warp(triton("zeros"), image[:0], flow[:0], grad[:0])
    assert empty["out"].shape == (0, 2, 26, 35)


def test_one_gradient_alone():
    image, flow, grad = gpu_inputs((2, 2, 15, 14))
    expected = run_warp(triton("zeros"), image, flow, grad)
    moving = flow.clone().requires_grad_()
    (got,) = torch.autograd.grad(triton("zeros")(image, moving), moving, grad)
    assert torch.equal(got, expected["flow"])
    moving = image.clone().requires_grad_()
    (got,) = torch.autograd.grad(triton("zeros")(moving, flow), moving, grad)
    torch.testing.assert_close(got, expected["image"])


@pytest.mark.parametrize("padding", PADDINGS)
def test_deterministic_image_gradient(padding):
    """Many pixels fall onto one, and their order may not matter."""
    inputs = gpu_inputs((4, 3, 64, 65), size=30.0)
    torch.use_deterministic_algorithms(True)
    try:
        results = [run_warp(triton(padding), *inputs) for _ in range(3)]
    finally:
        torch.use_deterministic_algorithms(False)
    for other in results[1:]:
        for name, value in results[0].items():
            assert torch.equal(other[name], value), name
    for name, value in run_warp(triton(padding), *inputs).items():
        torch.testing.assert_close(value, results[0][name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("padding", PADDINGS)
def test_compiled(padding):
    module = BackwardWarp(padding)
    compiled = torch.compile(module, fullgraph=True)
    inputs = gpu_inputs((2, 3, 21, 34))
    expected = run_warp(module, *inputs)
    for name, value in run_warp(compiled, *inputs).items():
        torch.testing.assert_close(value, expected[name], msg=name)


def test_auto_takes_triton_and_float64_the_reference():
    image, flow, _ = gpu_inputs((1, 2, 9, 10))
    assert torch.equal(backward_warp(image, flow), triton("zeros")(image, flow))
    wide = image.double(), flow.double()
    expected = backward_warp(*wide, backend="reference")
    assert torch.equal(backward_warp(*wide), expected)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_second_device():
    inputs = [t.to("cuda:1") for t in make_inputs((1, 2, 17, 9))]
    check_warp(triton("zeros"), inputs, "zeros")


@pytest.mark.huge
def test_more_than_2_to_the_31_elements():
    if torch.cuda.mem_get_info()[0] < 50 << 30:
        pytest.skip("needs 50 GB of GPU memory")
    examples = (2**31) // (8 * 8) + 3
    small = gpu_inputs((1, 1, 8, 8), torch.bfloat16)
    large = [t.new_zeros(examples, *t.shape[1:]) for t in small]
    for t, last in zip(large, small, strict=True):
        t[-1:] = last
    result = run_warp(triton("zeros"), *large)
    for name, value in run_warp(triton("zeros"), *small).items():
        torch.testing.assert_close(result[name][-1:], value, msg=name)
        assert (result[name][0] == 0).all(), name
