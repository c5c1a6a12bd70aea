"""Representation flow from an initial flow: the fused CPU pass and its gradients."""

import pytest
import torch
from repflow_inputs import make_maps, make_parameters

from flowzoo_kernels import representation_flow


def inputs(variant, shape=(2, 3, 4, 6, 5), dtype=torch.float64):
    n, c, t, h, w = shape
    x = make_maps(shape, dtype).requires_grad_()
    params = make_parameters(variant, c, dtype).values()
    generator = torch.Generator().manual_seed(3)
    flow = torch.randn(n, 2 * c, t - 1, h, w, generator=generator, dtype=dtype)
    return flow.requires_grad_(), x, *(p.requires_grad_() for p in params)


def run(flow, x, *params, n_iters=4, variant="tvl1", backend="cpu"):
    return representation_flow(x, *params, n_iters, variant, backend, flow)


@pytest.mark.parametrize("variant", ["paper", "tvl1"])
@pytest.mark.parametrize("n_iters", [1, 2, 30])
def test_is_the_reference(variant, n_iters):
    """30 iterations compute states again in the backward pass."""
    results = []
    for backend in ("cpu", "reference"):
        tensors = inputs(variant)
        out = run(*tensors, n_iters=n_iters, variant=variant, backend=backend)
        generator = torch.Generator().manual_seed(1)
        weights = torch.randn(out.shape, generator=generator, dtype=out.dtype)
        grads = torch.autograd.grad(out, tensors, weights, materialize_grads=True)
        assert grads[0].abs().max() > 0
        results.append((out, *grads))
    for ours, exact in zip(*results, strict=True):
        torch.testing.assert_close(ours, exact, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("variant", ["paper", "tvl1"])
def test_gradcheck(variant):
    def function(*tensors):
        return run(*tensors, variant=variant)

    tensors = inputs(variant, (1, 2, 3, 4, 5))
    assert torch.autograd.gradcheck(function, tensors, atol=1e-5, rtol=1e-4)


def test_the_flow_alone_and_all_but_the_flow():
    flow, x, *params = inputs("tvl1")
    everything = torch.autograd.grad(run(flow, x, *params).sum(), (flow, x))
    frozen = [p.detach() for p in params]
    (alone,) = torch.autograd.grad(run(flow, x.detach(), *frozen).sum(), flow)
    torch.testing.assert_close(alone, everything[0])
    (of_x,) = torch.autograd.grad(run(flow.detach(), x, *frozen).sum(), x)
    torch.testing.assert_close(of_x, everything[1])


def test_strides_expansion_types_and_an_empty_batch():
    flow, x, *params = (t.detach() for t in inputs("tvl1", dtype=torch.float32))
    expected = run(flow, x, *params)
    strided = flow.mT.contiguous().mT
    assert torch.equal(run(strided, x, *params), expected)
    one = torch.ones(()).expand(flow.shape)
    assert torch.equal(run(one, x, *params), run(torch.ones_like(flow), x, *params))
    assert (expected - run(torch.zeros_like(flow), x, *params)).abs().max() > 0.1
    assert run(flow[:0], x[:0], *params).shape == (0, *flow.shape[1:])
    assert run(flow.half(), x.half(), *params).dtype == torch.float16
    zero = torch.zeros_like(flow)
    plain = representation_flow(x, *params, 4, "tvl1", "cpu")
    assert torch.equal(run(zero, x, *params), plain)


def test_opcheck_and_compile():
    flow, x, *params = inputs("tvl1", (1, 2, 3, 4, 5))
    arguments = (x, *params, flow, 4, "tvl1", "cpu")
    operator = torch.ops.flowzoo.representation_flow.default
    torch.library.opcheck(operator, arguments)
    compiled = torch.compile(run, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(flow, x, *params), run(flow, x, *params))


def test_vmap():
    flow, x, *params = (t.detach() for t in inputs("tvl1"))
    flows = torch.stack([flow, 2 * flow])
    found = torch.func.vmap(lambda f: run(f, x, *params))(flows)
    torch.testing.assert_close(found[1], run(2 * flow, x, *params))
