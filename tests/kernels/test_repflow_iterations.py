"""Iterations between given states: the fused CPU pass, its gradients, TVNet on it."""

import pytest
import torch
from helpers.repflow_cases import assert_as_exact_as_eager

from flowzoo_kernels import TVNet
from flowzoo_kernels.repflow.iterations_op import tvl1_iterations


def zero_borders(state):
    """p11 and p21 are 0 in the last column, p12 and p22 in the last row."""
    state[2::2, :, :, -1] = 0
    state[3::2, :, -1] = 0
    return state


def inputs(maps, h, w, dtype=torch.float64):
    g = torch.Generator().manual_seed(0)
    state = zero_borders(0.3 * torch.randn(6, maps, h, w, generator=g, dtype=dtype))
    linearized = torch.randn(3, maps, h, w, generator=g, dtype=dtype)
    kernels = [
        torch.tensor([[[-1.0, 1.1], [-0.9, 1.0]]], dtype=dtype),
        torch.tensor([[[-1.0, 1.05], [-0.95, 1.0]]], dtype=dtype),
    ]
    scalars = [torch.tensor([v], dtype=dtype) for v in (0.3, 0.15, 0.25)]
    return [t.requires_grad_() for t in (state, linearized, *kernels, *scalars)]


@pytest.mark.parametrize(
    ("maps", "h", "w", "n_iters"),
    [(3, 6, 7, 1), (9, 5, 1, 3), (1, 1, 4, 5), (2, 8, 9, 60), (0, 4, 5, 2)],
)
def test_is_the_reference(maps, h, w, n_iters):
    """60 iterations compute states again in the backward pass."""
    tensors = inputs(maps, h, w)
    g = torch.Generator().manual_seed(1)
    weights = torch.randn(tensors[0].shape, generator=g, dtype=torch.float64)
    results = []
    for backend in ("cpu", "reference"):
        out = tvl1_iterations(*tensors, n_iters, backend)
        grads = torch.autograd.grad(out, tensors, zero_borders(weights))
        results.append((out, *grads))
    for ours, exact in zip(*results, strict=True):
        torch.testing.assert_close(ours, exact, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("wanted", range(7))
def test_one_gradient_alone(wanted):
    tensors = inputs(2, 5, 6)
    everything = torch.autograd.grad(tvl1_iterations(*tensors, 3)[:2].sum(), tensors)
    alone = [t if i == wanted else t.detach() for i, t in enumerate(tensors)]
    out = tvl1_iterations(*alone, 3)[:2].sum()
    (grad,) = torch.autograd.grad(out, alone[wanted])
    torch.testing.assert_close(grad, everything[wanted])


def test_opcheck_and_vmap():
    tensors = inputs(2, 4, 5)
    operator = torch.ops.flowzoo.tvl1_iterations.default
    torch.library.opcheck(operator, (*tensors, 3, "cpu"))
    state, *others = (t.detach() for t in tensors)
    states = torch.stack([state, 2 * state])
    found = torch.func.vmap(lambda s: tvl1_iterations(s, *others, 3))(states)
    torch.testing.assert_close(found[1], tvl1_iterations(2 * state, *others, 3))


@pytest.mark.parametrize("options", [{}, {"scales": 2, "warps": 2}])
def test_tvnet_is_as_exact_as_eager(options):
    """Flow and the gradients of the frames and all parameters.

    Warps make much of a last bit, so that errors are those of several clips.
    """
    clips = [tvnet_results(options, seed) for seed in range(2, 6)]
    for name in clips[0][0]:
        ours, eager, exact = (
            torch.stack([clip[run][name].detach() for clip in clips])
            for run in range(3)
        )
        assert_as_exact_as_eager(name, ours, eager, exact)


def tvnet_results(options, seed):
    """Of the fused layer, of eager PyTorch, and of the latter in float64."""
    g = torch.Generator().manual_seed(seed)
    y, x = torch.arange(32.0).view(-1, 1), torch.arange(34.0)
    moved = [
        torch.sin((x - 0.6 * t) / 4) + torch.cos((y + 0.4 * t) / 5) for t in (0, 1)
    ]
    clip = (
        120
        + 50 * torch.stack(moved)[None, None]
        + torch.rand(1, 1, 2, 32, 34, generator=g)
    )
    weights = torch.randn(1, 2, 1, 32, 34, generator=g)
    results = []
    runs = ("auto", torch.float32), ("reference", torch.float32)
    for backend, dtype in (*runs, ("reference", torch.float64)):
        size = (16, 17) if options else (32, 34)
        net = TVNet(4, initial_size=size, backend=backend, **options).to(dtype)
        frames = clip.to(dtype).requires_grad_()
        flow = net(frames)
        leaves = {"frames": frames, **dict(net.named_parameters())}
        grads = torch.autograd.grad((weights.to(dtype) * flow).sum(), leaves.values())
        results.append({"out": flow, **dict(zip(leaves, grads, strict=True))})
    return results
