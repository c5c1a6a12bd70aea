"""What torch's transforms make of every fused operator: derivatives, or an error."""

import pytest
import torch
from repflow_inputs import make_maps, make_parameters
from torch.autograd import forward_ad

from flowzoo_kernels import (
    backward_warp,
    motion_loss,
    multiscale_motion_loss,
    representation_flow,
    tvl1_flow,
)
from flowzoo_kernels.frame_pyramid.op import frame_pyramid

EXAMPLES = 3
PARAMETERS = make_parameters("tvl1", 2).values()


def rand(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def flow_of(x, other):
    return representation_flow(x * other, *PARAMETERS, 3, "tvl1", "cpu")


def warp(flow, image):
    return backward_warp(image, flow, backend="cpu")


def loss(flow, frames):
    target, source = frames[:, :3], frames[:, 3:]
    return motion_loss(target, source, flow, flow_scale=2.0, backend="cpu")[0]


# Function, its first argument for some examples, a second one for some examples.
OPERATORS = {
    "representation_flow": (
        flow_of,
        make_maps((EXAMPLES, 2, 3, 5, 4)).unsqueeze(1),
        1 + rand(EXAMPLES, 1, 2, 3, 5, 4),
    ),
    "backward_warp": (warp, rand(EXAMPLES, 2, 2, 5, 4), rand(EXAMPLES, 2, 3, 5, 4)),
    "motion_loss": (loss, rand(EXAMPLES, 2, 2, 9, 8), rand(EXAMPLES, 2, 6, 9, 8)),
}


@pytest.fixture(params=OPERATORS)
def operator(request):
    return request.param, *OPERATORS[request.param]


def derivative(function, x, *others):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(function(x, *others).square().sum(), x)[0]


def test_func_grad(operator):
    _, function, x, other = operator

    def scalar(*arguments):
        return function(*arguments).square().sum()

    expected = [derivative(function, *pair) for pair in zip(x, other, strict=True)]
    got = torch.func.grad(scalar)(x[0], other[0])
    torch.testing.assert_close(got, expected[0])
    assert got.abs().sum() > 0
    each = torch.func.vmap(torch.func.grad(scalar))(x, other)
    torch.testing.assert_close(each, torch.stack(expected))
    shared = torch.func.vmap(torch.func.grad(scalar), (0, None))(x, other[0])
    for i in range(EXAMPLES):
        one = derivative(function, x[i], other[0])
        torch.testing.assert_close(shared[i], one)


def test_jacobian(operator):
    _, function, x, other = operator
    x, other = x[0], other[0]
    expected = torch.autograd.functional.jacobian(lambda v: function(v, other), x)
    got = torch.func.jacrev(function)(x, other)
    torch.testing.assert_close(got, expected)


def test_several_gradients_at_once(operator):
    _, function, x, other = operator
    x = x[0].clone().requires_grad_()
    out = function(x, other[0])
    several = torch.stack([torch.ones_like(out), -2 * torch.ones_like(out)])

    def gradient(grad):
        return torch.autograd.grad(out, x, grad, retain_graph=True)[0]

    together = torch.func.vmap(gradient)(several)
    for got, grad in zip(together, several, strict=True):
        torch.testing.assert_close(got, gradient(grad))


def test_vmap_of_what_requires_grad(operator):
    _, function, x, other = operator
    x = x.clone().requires_grad_()
    (got,) = torch.autograd.grad(torch.func.vmap(function)(x, other).square().sum(), x)
    for i in range(EXAMPLES):
        expected = derivative(function, x[i].detach(), other[i])
        torch.testing.assert_close(got[i], expected)


def twice(function, x, other):
    x = x.clone().requires_grad_()
    out = function(x, other).square().sum()
    (grad,) = torch.autograd.grad(out, x, create_graph=True)
    torch.autograd.grad(grad.sum(), x)


def grad_of_grad(function, x, other):
    def inner(v):
        return torch.func.grad(lambda u: function(u, other).square().sum())(v).sum()

    torch.func.grad(inner)(x)


@pytest.mark.parametrize("run", [twice, grad_of_grad])
def test_no_second_derivative(run, operator):
    name, function, x, other = operator
    message = f"fused {name} has no second derivative.*backend='reference'"
    with pytest.raises(NotImplementedError, match=message):
        run(function, x[0], other[0])


def dual(function, x, other):
    with forward_ad.dual_level():
        function(forward_ad.make_dual(x, x), other)


def jvp(function, x, other):
    torch.func.jvp(lambda v: function(v, other), (x,), (x,))


@pytest.mark.parametrize("run", [dual, jvp])
def test_no_forward_mode(run, operator):
    name, function, x, other = operator
    message = f"fused {name} has no forward-mode.*jacrev.*backend='reference'"
    with pytest.raises(NotImplementedError, match=message):
        run(function, x[0], other[0])


def test_compiled_graphs_hold_the_operators():
    """Which 'auto' chooses, and not those of an export."""
    clip = rand(1, 3, 2, 9, 8)
    first, second, flow = clip[:, :, 0], clip[:, :, 1], clip[:, :2, 0]
    functions = {
        "representation_flow": lambda: representation_flow(
            clip[:, :2], *PARAMETERS, 3, "tvl1"
        ),
        "backward_warp": lambda: backward_warp(first, flow),
        "motion_losses": lambda: motion_loss(first, second, flow, flow_scale=2.0)[0],
        "frame_pyramid": lambda: frame_pyramid(clip, [(4, 4)]),
        "tvl1_flow": lambda: tvl1_flow(clip[:, 0]),
    }
    for name, function in functions.items():
        graphs = []

        def keep(graph, _, graphs=graphs):
            graphs.append(graph.code)
            return graph

        torch._dynamo.reset()
        torch.compile(function, backend=keep)()
        assert f"ops.flowzoo.{name}" in graphs[0]


@pytest.mark.parametrize("variant", ["paper", "tvl1", "released"])
def test_shapes_without_data(variant):
    """On the device 'meta', which has no autocast to leave."""
    x = torch.empty(2, 3, 4, 6, 5, device="meta")
    parameters = [p.to("meta") for p in make_parameters(variant, 3).values()]
    flow = representation_flow(x, *parameters, 2, variant)
    assert flow.shape == (2, 6, 3, 6, 5)
    flows = [torch.empty(2, 6, 6, 5, device="meta")]
    loss, _ = multiscale_motion_loss(x, flows, flow_scales=[1], ssim_weights=[1])
    assert loss.shape == ()


@pytest.mark.parametrize("run", [dual, jvp])
@pytest.mark.parametrize("function", ["motion_loss", "multiscale_motion_loss"])
@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_no_derivative_by_frames(backend, function, run):
    """In forward mode too it raises, and is not 0."""
    frames, flow = rand(1, 3, 2, 8, 8), rand(1, 2, 8, 8)

    def one_scale(target, source):
        return motion_loss(target, source, flow, flow_scale=1, backend=backend)[0]

    def scales(clip, flow):
        options = {"flow_scales": [1], "ssim_weights": [1], "backend": backend}
        return multiscale_motion_loss(clip, [flow], **options)[0]

    with pytest.raises(ValueError, match=r"requires grad.*detach"):
        if function == "motion_loss":
            run(one_scale, frames[:, :, 0], frames[:, :, 1])
        else:
            run(scales, frames, flow)
