import pytest
import torch
from repflow_inputs import PARAMETERS, make_maps, make_parameters
from upstream_repflow import upstream_layer

from flowzoo_kernels import representation_flow
from flowzoo_kernels.repflow.reference import VARIANTS, default_kernels


@pytest.mark.parametrize(
    ("h", "w", "dtype"),
    [
        (9, 7, torch.float32),
        (9, 7, torch.float64),
        (2, 5, torch.float64),
        (4, 2, torch.float64),
    ],
)
def test_tvl1_is_the_authors_first_layer(h, w, dtype):
    shape = (2, 3, 4, h, w)
    results = []
    for function in (representation_flow, upstream_layer):
        x = make_maps(shape, dtype).requires_grad_()
        params = make_parameters("tvl1", 3, dtype).values()
        params = [p.requires_grad_() for p in params]
        extra = ("tvl1", "reference") if function is representation_flow else ()
        out = function(x, *params, 12, *extra)
        g = torch.Generator().manual_seed(1)
        weights = torch.randn(out.shape, generator=g, dtype=dtype)
        loss = (out * weights).sum()
        grads = torch.autograd.grad(loss, [x, *params], materialize_grads=True)
        results.append([out, *grads])
    for name, ours, theirs in zip(("out", "x", *PARAMETERS), *results, strict=True):
        error = (ours - theirs).norm()
        assert error <= 1e-5 * theirs.norm(), (name, error)


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradcheck(variant):
    x = make_maps((1, 2, 3, 4, 5), torch.float64).requires_grad_()
    params = make_parameters(variant, 2, torch.float64)
    params = [p.requires_grad_() for p in params.values()]

    def function(*args):
        return representation_flow(*args, 4, variant, "reference")

    assert torch.autograd.gradcheck(function, (x, *params), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradcheck_of_an_initial_flow(variant):
    x = make_maps((1, 2, 3, 4, 5), torch.float64).requires_grad_()
    params = make_parameters(variant, 2, torch.float64)
    params = [p.requires_grad_() for p in params.values()]
    torch.manual_seed(0)
    flow = torch.randn(1, 4, 2, 4, 5, dtype=torch.float64, requires_grad=True)

    def function(flow, *args):
        return representation_flow(*args, 4, variant, "reference", flow)

    inputs = flow, x, *params
    assert torch.autograd.gradcheck(function, inputs, atol=1e-5, rtol=1e-4)


def test_an_initial_flow_of_zero_changes_nothing():
    x = make_maps((2, 3, 3, 6, 5), torch.float32)
    params = [*make_parameters("tvl1", 3, torch.float32).values(), 5, "tvl1"]
    expected = representation_flow(x, *params, "reference")
    zero = torch.zeros_like(expected)
    found = representation_flow(x, *params, "reference", zero)
    assert torch.equal(found, expected)
    other = representation_flow(x, *params, "reference", zero + 1)
    assert (other - expected).abs().mean() > 0.1


def test_tvl1_direction_and_size():
    """A texture that moves by (0.4, -0.3) pixels, found where it has gradient."""
    grid = torch.arange(24.0)
    y, x = grid.view(-1, 1), grid

    def image(dx, dy):
        return 100 + 40 * torch.sin((x - dx) / 4) + 40 * torch.cos((y - dy) / 5)

    clip = torch.stack([image(0, 0), image(0.4, -0.3)]).view(1, 1, 2, 24, 24)
    params = [*default_kernels("tvl1", 1), *torch.tensor([0.3, 0.15, 0.25])]
    u = representation_flow(clip, *params, 200, "tvl1")[0, :, 0, 3:-3, 3:-3]
    assert u[0].mean() == pytest.approx(0.4, abs=0.1)
    assert u[1].mean() == pytest.approx(-0.3, abs=0.1)


def test_paper_smooths():
    """With the divergence of the right sign, more iterations stay bounded."""
    x = make_maps((1, 1, 2, 16, 16))
    params = [*default_kernels("paper", 1), *torch.tensor([0.3, 0.15, 0.25])]
    few = representation_flow(x, *params, 20, "paper").abs().max()
    many = representation_flow(x, *params, 500, "paper").abs().max()
    assert many < 10 * few
    flipped = [*params[:2], -params[2], *params[3:]]
    rough = representation_flow(x, *flipped, 500, "paper").abs().max()
    assert rough > 2 * many


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("h", "w"), [(1, 1), (1, 6), (5, 1), (2, 2)])
def test_small_maps(variant, h, w):
    x = make_maps((1, 2, 3, h, w)).requires_grad_()
    params = [p.requires_grad_() for p in make_parameters(variant, 2).values()]
    out = representation_flow(x, *params, 5, variant)
    assert out.shape == (1, 4, 2, h, w)
    inputs = [x, *params]
    grads = torch.autograd.grad(out.square().sum(), inputs, materialize_grads=True)
    for grad in grads:
        assert grad.isfinite().all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_types_strides_and_empty_batch(variant):
    params = list(make_parameters(variant, 3).values())
    x = make_maps((2, 3, 4, 6, 5))
    out = representation_flow(x, *params, 5, variant, "reference")
    strided = x.transpose(1, 2).contiguous().transpose(1, 2)
    same = representation_flow(strided, *params, 5, variant, "reference")
    torch.testing.assert_close(same, out)
    for dtype in (torch.float16, torch.bfloat16):
        low = representation_flow(x.to(dtype), *params, 5, variant, "reference")
        full = representation_flow(
            x.to(dtype).float(), *params, 5, variant, "reference"
        )
        torch.testing.assert_close(low, full.to(dtype))
    empty = representation_flow(x[:0], *params, 5, variant, "reference")
    assert empty.shape == (0, 6, 3, 6, 5)


def test_autocast_leaves_the_result_alone():
    x = make_maps((1, 2, 3, 6, 5))
    for variant in VARIANTS:
        params = list(make_parameters(variant, 2).values())
        expected = representation_flow(x, *params, 5, variant, "reference")
        with torch.autocast("cpu", torch.bfloat16):
            got = representation_flow(x, *params, 5, variant, "reference")
        torch.testing.assert_close(got, expected, rtol=0, atol=0)
