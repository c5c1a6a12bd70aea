"""The fused CPU operator and its module under what torch wraps around them."""

import multiprocessing

import pytest
import torch
from helpers.ddp_gradients import CLIPS, gradients, make_model, worker
from repflow_inputs import make_maps, make_parameters
from torch.utils.checkpoint import checkpoint

from flowzoo_kernels import RepresentationFlow, representation_flow

PARAMS = make_parameters("tvl1", 2)


def flow(x, theta, backend="cpu"):
    parameters = {**PARAMS, "theta": theta}
    return representation_flow(x, *parameters.values(), 3, "tvl1", backend)


def make_inputs():
    return make_maps((3, 2, 3, 5, 4)).unflatten(0, (3, 1)), torch.tensor(
        [0.2, 0.3, 0.4]
    )


def test_vmap():
    x, theta = make_inputs()
    for dims in ((0, None), (None, 0), (0, 0)):
        first = x if dims[0] == 0 else x[0]
        second = theta if dims[1] == 0 else theta[0]
        got = torch.func.vmap(flow, dims)(first, second)
        for i in range(len(x)):
            expected = flow(x[i * (dims[0] == 0)], theta[i * (dims[1] == 0)])
            torch.testing.assert_close(got[i], expected)


def test_func_grad():
    x, theta = make_inputs()
    (x, *_), (theta, *_) = x, theta
    got = torch.func.grad(lambda *a: flow(*a).square().sum(), (0, 1))(x, theta)
    leaves = x.clone().requires_grad_(), theta.clone().requires_grad_()
    expected = torch.autograd.grad(flow(*leaves).square().sum(), leaves)
    torch.testing.assert_close(got, expected, rtol=0, atol=0)
    got = torch.func.jacrev(flow)(x, theta)
    expected = torch.autograd.functional.jacobian(lambda v: flow(v, theta), x)
    torch.testing.assert_close(got, expected)


def test_gradients_of_single_clips():
    x, theta = make_inputs()
    one = torch.func.grad(lambda *a: flow(*a).square().sum(), (0, 1))
    for dims in ((0, None), (0, 0)):
        second = theta if dims[1] == 0 else theta[0]
        got = torch.func.vmap(one, dims)(x, second)
        for i in range(len(x)):
            expected = one(x[i], theta[i * (dims[1] == 0)])
            torch.testing.assert_close((got[0][i], got[1][i]), expected)


def result_and_gradients(function, module, x):
    out = function(x)
    inputs = [x, *(p for p in module.parameters() if p.requires_grad)]
    for leaf in inputs:
        leaf.grad = None
    out.float().square().sum().backward()  # as reentrant checkpointing needs it
    return [out.detach(), *(leaf.grad for leaf in inputs)]


@pytest.mark.parametrize("variant", ["paper", "tvl1"])
def test_compile_export_checkpoint(variant):
    module = RepresentationFlow(2, n_iters=3, variant=variant)
    x = make_maps((1, 2, 3, 6, 5)).requires_grad_()
    expected = result_and_gradients(module, module, x)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    functions = {
        "compiled": compiled,
        "checkpoint": lambda v: checkpoint(module, v, use_reentrant=False),
        "reentrant": lambda v: checkpoint(module, v, use_reentrant=True),
    }
    for name, function in functions.items():
        got = result_and_gradients(function, module, x)
        torch.testing.assert_close(got, expected, msg=name)
    exported = torch.export.export(module, (x.detach(),)).module()
    torch.testing.assert_close(exported(x.detach()), expected[0])


def test_autocast_computes_in_float32():
    module = RepresentationFlow(2, n_iters=5)
    for dtype in (torch.float32, torch.bfloat16):
        x = make_maps((1, 2, 3, 6, 5)).to(dtype).requires_grad_()
        expected = result_and_gradients(module, module, x)
        with torch.autocast("cpu", torch.bfloat16):
            got = result_and_gradients(module, module, x)
        assert got[0].dtype == dtype
        torch.testing.assert_close(got, expected, rtol=0, atol=0)


def test_autocast_of_a_network():
    """The convolution before it gives bfloat16; its gradient arrives."""
    model = make_model()
    x = make_maps((1, 3, 3, 6, 5)) / 255
    with torch.autocast("cpu", torch.bfloat16):
        features = model[0](x)
        assert features.dtype == torch.bfloat16
        out = model[1](features)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out, model[1](features.float()).to(torch.bfloat16))
    out.float().square().sum().backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad.isfinite().all(), name
    assert model[0].weight.grad.abs().sum() > 0


def test_two_processes_are_one(tmp_path):
    """DistributedDataParallel: the gradient of the mean over both halves."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    store = f"file://{tmp_path}/store"
    processes = [
        context.Process(target=worker, args=(rank, store, queue)) for rank in (0, 1)
    ]
    for process in processes:
        process.start()
    results = [queue.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(60)
    whole = gradients(make_model(), slice(0, CLIPS))
    half = gradients(make_model(), slice(0, CLIPS // 2))
    assert set(whole) == {
        "0.weight",
        "0.bias",
        "1.div_kernel",
        "1.theta",
        "1.lam",
        "1.tau",
    }
    for name, expected in whole.items():
        for result in results:
            got = torch.tensor(result[name])
            torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-6, msg=name)
        assert not torch.allclose(half[name], expected, rtol=1e-3), name


def test_gradients_of_single_clips_through_the_module():
    module = RepresentationFlow(2, n_iters=3, learn=("theta", "lam"))
    x, _ = make_inputs()

    def loss(parameters, clip):
        return torch.func.functional_call(module, parameters, clip).square().sum()

    parameters = dict(module.named_parameters())
    got = torch.func.vmap(torch.func.grad(loss), (None, 0))(parameters, x)
    for i, clip in enumerate(x):
        module.zero_grad()
        module(clip).square().sum().backward()
        for name in ("theta", "lam"):
            expected = getattr(module, name).grad
            torch.testing.assert_close(got[name][i], expected, msg=name)
