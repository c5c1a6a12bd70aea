"""The representation-flow kernels on a GPU, against the float64 reference."""

import pytest
import torch
from helpers.repflow_cases import check_against_reference, run_flow
from repflow_inputs import make_maps, make_parameters

from flowzoo_kernels import RepresentationFlow, representation_flow
from flowzoo_kernels.repflow.reference import default_kernels

VARIANTS = ("paper", "tvl1")
SHAPES = [
    (2, 3, 4, 7, 5),
    (1, 1, 2, 1, 1),
    (1, 3, 3, 1, 6),
    (2, 1, 2, 13, 1),
    (1, 2, 3, 2, 2),
    (3, 5, 4, 7, 7),
    (2, 3, 3, 14, 14),
    (1, 2, 3, 16, 16),
    (1, 2, 3, 28, 28),
    (1, 2, 2, 31, 33),
    (1, 2, 2, 44, 45),  # from here on tiles in the backward pass
    (1, 2, 3, 56, 56),
    (1, 2, 2, 64, 64),
    (40, 16, 3, 7, 7),  # more tasks than programs
    (1, 2, 3, 61, 67),  # and forward
    (2, 1, 2, 130, 97),
    (1, 1, 2, 3, 200),
    (1, 1, 2, 224, 224),
]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes(shape, variant):
    check_against_reference("triton", make_maps(shape).cuda(), variant, 6)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("n_iters", [1, 2, 20, 50])
def test_iterations(n_iters, variant):
    x = make_maps((2, 3, 3, 9, 10)).cuda()
    check_against_reference("triton", x, variant, n_iters)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_types(dtype, variant):
    x = make_maps((2, 3, 3, 14, 14), dtype).cuda()
    check_against_reference("triton", x, variant, 6)


def test_strides():
    x = make_maps((2, 3, 4, 9, 10)).cuda()
    params = {k: v.cuda() for k, v in make_parameters("paper", 3).items()}
    grad = torch.randn(2, 3, 6, 9, 10, device="cuda").transpose(1, 2)
    expected = run_flow("triton", x, params, grad.contiguous(), 4, "paper")
    strided = x.permute(0, 4, 2, 1, 3).contiguous().permute(0, 3, 2, 4, 1)
    result = run_flow("triton", strided, params, grad, 4, "paper")
    for name, value in expected.items():
        torch.testing.assert_close(result[name], value, rtol=0, atol=0, msg=name)


@pytest.mark.parametrize("variant", VARIANTS)
def test_tiles_and_whole_maps_agree(variant, monkeypatch):
    """The same map by one program and by tiles."""
    from flowzoo_kernels.repflow.gpu import tiling

    x = make_maps((2, 2, 3, 60, 50)).cuda()
    params = [v.cuda() for v in make_parameters(variant, 2).values()]
    whole = representation_flow(x, *params, 20, variant, "triton")
    monkeypatch.setattr(tiling, "FORWARD", tiling.Limits(0, 0))
    tile = tiling.Shape(4, 7, 1, True, False, 1)
    monkeypatch.setattr(tiling, "FORWARD_TILE", tile)
    tiles = representation_flow(x, *params, 20, variant, "triton")
    torch.testing.assert_close(tiles, whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_launches_with_few_slots_for_states(variant, monkeypatch):
    """Clip by clip, each iteration a launch, most of their states computed again."""
    from flowzoo_kernels.repflow import gpu
    from flowzoo_kernels.repflow.gpu import tiling

    monkeypatch.setattr(tiling, "MOST_ITERATIONS", 1)
    monkeypatch.setattr(gpu.launches, "STATES", 3)
    monkeypatch.setattr(gpu, "STATE_BYTES", 1)
    check_against_reference("triton", make_maps((2, 2, 4, 70, 45)).cuda(), variant, 8)


@pytest.mark.parametrize("shape", [(2, 3, 4, 14, 14), (1, 2, 3, 28, 28)], ids=str)
def test_sobel_filters_have_a_kernel_of_their_own(shape):
    """Filters beside Sobel's by less than float32 resolves take the general kernel."""
    x = make_maps(shape).cuda()
    params = {k: v.cuda() for k, v in make_parameters("paper", shape[1]).items()}
    params["flow_kernel"] = default_kernels("paper", shape[1])[1].cuda()
    n, c, t, h, w = shape
    grad = torch.randn(n, 2 * c, t - 1, h, w, device="cuda")
    sobel = run_flow("triton", x, params, grad, 6, "paper", frozen="flow_kernel")
    params["flow_kernel"] = params["flow_kernel"] + 1e-30 * (params["flow_kernel"] == 0)
    general = run_flow("triton", x, params, grad, 6, "paper", frozen="flow_kernel")
    for name, value in general.items():
        scale = value.abs().max().item()
        torch.testing.assert_close(
            sobel[name], value, rtol=1e-4, atol=1e-4 * scale, msg=name
        )


@pytest.mark.parametrize(("size", "few", "many"), [(14, 5, 50), (70, 60, 120)])
def test_memory_does_not_grow_with_iterations(size, few, many):
    """Within a launch, the states kept grow with the square root; between, not."""
    x = make_maps((16, 8, 8, size, size)).cuda().requires_grad_()
    params = [v.cuda().requires_grad_() for v in make_parameters("tvl1", 8).values()]
    peaks = []
    for n_iters in (few, few, many):
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        out = representation_flow(x, *params, n_iters, "tvl1", "triton")
        torch.autograd.grad(out.sum(), [x, *params])
        peaks.append(torch.cuda.max_memory_allocated() - before)
        del out
    # A program's states: bounded by the number of sm_count.
    resident = 8 * torch.cuda.get_device_properties().multi_processor_count
    spare = resident * 10 * 6 * 8 * 32 * 4 if size == 14 else 0
    assert peaks[2] <= peaks[1] + spare


@pytest.mark.parametrize("size", [14, 50])
def test_repeats_bit_by_bit(size):
    x = make_maps((8, 16, 5, size, size)).cuda()
    params = {k: v.cuda() for k, v in make_parameters("tvl1", 16).items()}
    grad = torch.randn(8, 32, 4, size, size, device="cuda")
    torch.use_deterministic_algorithms(True)
    try:
        first = run_flow("triton", x, params, grad, 20, "tvl1")
        second = run_flow("triton", x, params, grad, 20, "tvl1")
    finally:
        torch.use_deterministic_algorithms(False)
    for name, value in first.items():
        assert torch.equal(second[name], value), name


def test_auto_takes_triton_and_large_maps_work():
    x = make_maps((1, 2, 3, 14, 14)).cuda()
    params = [v.cuda() for v in make_parameters("tvl1", 2).values()]
    auto = representation_flow(x, *params, 5, "tvl1")
    triton = representation_flow(x, *params, 5, "tvl1", "triton")
    assert torch.equal(auto, triton)
    large = make_maps((1, 1, 2, 90, 100)).cuda()
    params = [v.cuda() for v in make_parameters("tvl1", 1).values()]
    assert representation_flow(large, *params, 5, "tvl1").isfinite().all()


@pytest.mark.parametrize("amp", [False, True])
def test_module_compiled(amp):
    module = RepresentationFlow(4, n_iters=5).cuda()
    compiled = torch.compile(module, fullgraph=True)
    x = make_maps((2, 4, 3, 14, 14)).cuda().requires_grad_()
    results = []
    for function in (module, compiled):
        with torch.autocast("cuda", torch.bfloat16, enabled=amp):
            out = function(x)
        inputs = [x, *(p for p in module.parameters() if p.requires_grad)]
        results.append([out, *torch.autograd.grad(out.square().sum(), inputs)])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_second_device():
    x = make_maps((1, 2, 3, 7, 7)).to("cuda:1")
    check_against_reference("triton", x, "tvl1", 5)


@pytest.mark.huge
def test_more_than_2_to_the_31_elements_backward():
    free, _ = torch.cuda.mem_get_info()
    if free < 40 << 30:
        pytest.skip("needs 40 GB of GPU memory")
    clips = (2**31) // (2 * 8 * 8) + 3
    x = torch.zeros(clips, 1, 2, 8, 8, dtype=torch.bfloat16, device="cuda")
    last = make_maps((1, 1, 2, 8, 8)).to(x)
    x[-1:] = last
    params = [v.cuda() for v in make_parameters("tvl1", 1).values()]
    grads = []
    for maps in (x, last):
        maps = maps.detach().requires_grad_()
        out = representation_flow(maps, *params, 4, "tvl1", "triton")
        (grad,) = torch.autograd.grad(
            out, maps, torch.ones_like(out[:1]).expand_as(out)
        )
        grads.append(grad[-1:])
    assert torch.equal(*grads)


@pytest.mark.huge
def test_more_than_2_to_the_31_elements():
    free, _ = torch.cuda.mem_get_info()
    if free < 20 << 30:
        pytest.skip("needs 20 GB of GPU memory")
    clips = (2**31) // (2 * 8 * 8) + 3
    x = torch.zeros(clips, 1, 2, 8, 8, dtype=torch.bfloat16, device="cuda")
    last = make_maps((1, 1, 2, 8, 8)).to(x)
    x[-1:] = last
    params = [v.cuda() for v in make_parameters("tvl1", 1).values()]
    out = representation_flow(x, *params, 4, "tvl1", "triton")
    expected = representation_flow(last, *params, 4, "tvl1", "triton")
    assert torch.equal(out[-1:], expected)
    assert (out[0] == 0).all()
