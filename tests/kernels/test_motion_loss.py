import math

import pytest
import torch
from helpers import upstream_motion_loss as authors
from helpers.huge_strides import huge_strides
from helpers.motion_loss_cases import SCALE, SHAPES, check_loss, make_inputs, run_loss
from torch.library import opcheck

from flowzoo_kernels import motion_loss, multiscale_motion_loss
from flowzoo_kernels.motion_loss import cpu, op
from flowzoo_kernels.motion_loss.options import Options
from flowzoo_kernels.motion_loss.reference import (
    ssim,
    ssim_table,
    ssim_windows,
)

BACKENDS = ("reference", "cpu")


@pytest.fixture(autouse=True)
def nan_filled_memory():
    """An element that no kernel writes shows."""
    before = torch.utils.deterministic.fill_uninitialized_memory
    torch.utils.deterministic.fill_uninitialized_memory = True
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = before


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ["fractional", "integer", "outside"])
@pytest.mark.parametrize("shape", [(2, 2, 3, 13, 19), (1, 1, 3, 8, 16)], ids=str)
def test_is_the_upstream_layers(shape, kind, backend):
    """Charbonnier, SSIM and transformer, values and gradients, normalized as theirs."""
    target, source, flow = make_inputs(shape, torch.float64)
    target = target - 0.7  # on both sides of 0
    if kind == "integer":
        flow = (SCALE * flow).round() / SCALE
    elif kind == "outside":
        flow = flow + 30
    weights = (0.7, 1.3, 0.05)
    parts, gradient = authors.motion_loss(
        target.numpy(), source.numpy(), flow.numpy(), SCALE, weights, (16, 30)
    )
    got = run_loss(
        (target, source, flow), weights=weights, normalization="caffe", backend=backend
    )
    for name, value in zip(op.PARTS, parts, strict=True):
        assert got[name].item() == pytest.approx(value, rel=1e-5), name
    expected = 3 * torch.from_numpy(gradient)
    torch.testing.assert_close(got["flow"], expected, rtol=1e-5, atol=1e-12)
    total = sum(w * p for w, p in zip(weights, parts, strict=True))
    assert got["loss"].item() == pytest.approx(total, rel=1e-5)


def test_normalizations_differ_by_the_mask():
    inputs = make_inputs((2, 2, 3, 13, 19), torch.float64)
    mean = run_loss(inputs, backend="cpu")
    caffe = run_loss(inputs, backend="cpu", normalization="caffe")
    fixed = run_loss(inputs, backend="cpu", normalization="caffe", caffe_mask=(1, 6))
    assert caffe["photometric"] * 16 * 30 == pytest.approx(mean["photometric"] * 2 * 3)
    assert fixed["photometric"] == pytest.approx(mean["photometric"])
    # 4 differences of each flow component where the frames have 6 channels
    assert fixed["smoothness"] * 6 == pytest.approx(mean["smoothness"] * 4)
    assert caffe["ssim"] == mean["ssim"]


@pytest.mark.parametrize("normalization", ["elements", "caffe"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes(shape, normalization):
    check_loss(make_inputs(shape), "cpu", normalization=normalization)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_types(dtype):
    check_loss(make_inputs((2, 2, 3, 13, 19), dtype), "cpu")


def test_mixed_types():
    target, source, flow = make_inputs((1, 2, 3, 9, 10))
    loss, _ = motion_loss(target.double(), source.half(), flow, flow_scale=2)
    assert loss.dtype == torch.float32


@pytest.mark.parametrize(
    "options",
    [
        {"ssim_window": 5, "ssim_stride": 7},
        {"ssim_window": 40, "ssim_stride": 40},
        {"ssim_window": 4, "ssim_stride": 4, "ssim_sigma": math.inf},
        {"ssim_sigma": 1.0, "ssim_center": 3.5, "ssim_c1": 1e-2, "ssim_c2": 3e-2},
        {"border": 0},
        {"border": 0.3, "photometric_alpha": 0.5, "photometric_beta": 10},
        {"smoothness_alpha": 1, "smoothness_beta": 0.5, "epsilon": 0.1},
    ],
    ids=str,
)
def test_constants(options):
    check_loss(make_inputs((1, 2, 2, 21, 18)), "cpu", **options)


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_strides(backend):
    target, source, flow = make_inputs((2, 2, 3, 10, 12))
    expected = run_loss((target, source, flow), backend=backend)
    stack = torch.cat([target, source], 1).transpose(2, 3).contiguous().transpose(2, 3)
    strided = stack[:, :6], stack[:, 6:], flow.contiguous(
        memory_format=torch.channels_last
    )  # fmt: skip
    for name, value in run_loss(strided, backend=backend).items():
        torch.testing.assert_close(value, expected[name], msg=name)
    expanded = target[:1, :1].expand(2, 6, -1, -1)
    run_loss((expanded, source, flow), backend=backend)


@pytest.mark.parametrize("dim", range(4))
def test_strides_past_2_to_the_31(dim):
    inputs = make_inputs((3, 3, 1, 3, 3), torch.float16)
    expected = run_loss(inputs, backend="cpu")
    target, source, flow = (huge_strides(t, dim) for t in inputs)
    flow.requires_grad_()  # not by run_loss, which copies
    loss, _ = motion_loss(target, source, flow, flow_scale=SCALE, backend="cpu")
    (grad,) = torch.autograd.grad(3 * loss, flow)
    assert torch.equal(loss, expected["loss"])
    assert torch.equal(grad, expected["flow"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_empty_batch(backend):
    inputs = [t[:0] for t in make_inputs((1, 2, 3, 9, 10))]
    result = run_loss(inputs, backend=backend)
    assert result["flow"].shape == (0, 4, 9, 10)
    assert all(result[name] == 0 for name in ("loss", *op.PARTS))


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradcheck(backend):
    target, source, flow = make_inputs((1, 2, 2, 9, 5), torch.float64)

    def loss(flow):
        # without the kinks' sharpness, which finite differences cannot follow
        options = dict(flow_scale=SCALE, epsilon=0.1, backend=backend)
        return motion_loss(target, source, flow, **options)[0]

    assert torch.autograd.gradcheck(loss, flow.requires_grad_())


def test_overlapping_windows_are_eager_only():
    inputs = make_inputs((1, 1, 2, 9, 12))
    options = {"ssim_window": 6, "ssim_stride": 2}
    auto = run_loss(inputs, **options)
    for name, value in run_loss(inputs, backend="reference", **options).items():
        assert torch.equal(auto[name], value)
    for backend in ("cpu", "triton"):
        message = "windows that overlap.*use one of 'auto', 'reference'"
        with pytest.raises(NotImplementedError, match=message):
            run_loss(inputs, backend=backend, **options)


@pytest.mark.parametrize("sigma", [None, 2.0, math.inf])
@pytest.mark.parametrize(
    ("window", "stride"), [(6, 2), (5, 1), (3, 3), (7, 4), (2, 5), (9, 9)]
)
def test_ssim_of_any_window_and_stride(window, stride, sigma):
    """In the reference, against the authors' layer window by window."""
    x, y, _ = make_inputs((2, 1, 3, 13, 17), torch.float64)
    x.requires_grad_()
    width = window / 6 if sigma is None else sigma
    options = Options(1.0, ssim_window=window, ssim_stride=stride, ssim_sigma=sigma)
    similar, count = ssim(x, y, options)
    ((count - similar) / len(x)).backward()
    value, gradient = authors.ssim(
        x.detach().numpy(), y.numpy(), window, stride, sigma=width
    )
    assert ((count - similar) / len(x)).item() == pytest.approx(value, rel=1e-9)
    torch.testing.assert_close(x.grad, torch.from_numpy(gradient))


def test_ssim_windows():
    assert [ssim_windows(s, 8, 8) for s in (1, 8, 9, 16, 17)] == [1, 1, 2, 2, 3]
    assert sum(map(sum, ssim_table(8, 8 / 6, 4.0))) == pytest.approx(1)
    assert ssim_table(2, math.inf, 1.0) == ((0.25, 0.25), (0.25, 0.25))


@pytest.mark.parametrize("backend", BACKENDS)
def test_perfect_flow_costs_nothing(backend):
    g = torch.Generator().manual_seed(0)
    wide = torch.rand(1, 3, 16, 24, generator=g)
    target, source = wide[..., :16], wide[..., 4:20]  # what was at x is at x - 4
    flow = torch.zeros(1, 2, 16, 16)
    flow[:, 0] = -4 / SCALE
    options = {"flow_scale": SCALE, "backend": backend, "border": 0.3}
    _, right = motion_loss(target, source, flow, **options)
    _, wrong = motion_loss(target, source, -flow, **options)
    assert right["photometric"] < 1e-3 * wrong["photometric"]
    assert right["ssim"] < 0.5 * wrong["ssim"]


def test_no_gradient_is_computed_where_none_is_needed():
    target, source, flow = make_inputs((1, 2, 3, 9, 10))
    expected = run_loss((target, source, flow), backend="cpu")
    loss, parts = motion_loss(target, source, flow, flow_scale=SCALE, backend="cpu")
    assert not loss.requires_grad
    assert torch.equal(loss, expected["loss"])
    with torch.no_grad():
        motion_loss(
            target.requires_grad_(), source, flow.requires_grad_(), flow_scale=SCALE
        )
    assert not any(part.requires_grad for part in parts.values())


def test_backward_twice():
    target, source, flow = make_inputs((1, 2, 3, 9, 10))
    flow.requires_grad_()
    loss, _ = motion_loss(target, source, flow, flow_scale=SCALE, backend="cpu")
    first = torch.autograd.grad(loss, flow, retain_graph=True)[0].clone()
    twice = torch.autograd.grad(2 * loss, flow, retain_graph=True)[0]
    torch.testing.assert_close(twice, 2 * first)
    (again,) = torch.autograd.grad(loss, flow, create_graph=True)
    torch.testing.assert_close(again, first)


def test_gradient_accumulates():
    target, source, flow = make_inputs((1, 2, 3, 9, 10))
    expected = run_loss((target, source, flow), backend="cpu")["flow"]
    flow.requires_grad_()
    for _ in range(3):
        motion_loss(target, source, flow, flow_scale=SCALE, backend="cpu")[0].backward()
    torch.testing.assert_close(flow.grad, expected)


def test_half_precision_gradient_survives_a_loss_scale():
    """Elements too small for float16 before the scale of mixed-precision training."""
    target, source, flow = make_inputs((1, 1, 3, 64, 64), torch.float16)
    wide = run_loss((target, source, flow.float()), backend="cpu")["flow"]
    flow.requires_grad_()
    loss, _ = motion_loss(target, source, flow, flow_scale=SCALE, weights=(1e-5, 0, 0))
    (grad,) = torch.autograd.grad(65536 * loss, flow)
    scaled = run_loss((target, source, flow.detach().float()), weights=(1, 0, 0))
    expected = scaled["flow"] / 3 * 1e-5 * 65536
    assert wide.isfinite().all()
    torch.testing.assert_close(grad.float(), expected, rtol=2e-3, atol=1e-7)


def test_operator_contract():
    first = make_inputs((1, 2, 2, 9, 10))
    second = [t[..., :7, :8] for t in first]
    tensors = [t for pair in zip(first, second, strict=True) for t in pair]
    numbers = [*Options(SCALE).numbers(), *Options(SCALE, border=0.2).numbers()]
    options = numbers, 8, 8, "elements", "cpu"
    opcheck(op._forward, (tensors, *options, False))
    for i in (4, 5):
        tensors[i] = tensors[i].detach().clone().requires_grad_()
    opcheck(
        op._forward,
        (tensors, *options, True),
        # the other tests differentiate all results, of which only the loss may be
        test_utils=("test_schema", "test_faketensor"),
    )


@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_compile_and_vmap(backend):
    inputs = make_inputs((2, 2, 3, 9, 10))
    expected = run_loss(inputs, backend=backend)

    def function(target, source, flow):
        return motion_loss(target, source, flow, flow_scale=SCALE, backend=backend)

    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    flow = inputs[2].clone().requires_grad_()
    loss, parts = compiled(*inputs[:2], flow)
    (grad,) = torch.autograd.grad(3 * loss, flow)
    torch.testing.assert_close(loss.detach(), expected["loss"])
    torch.testing.assert_close(grad, expected["flow"])
    torch.testing.assert_close(parts["ssim"], expected["ssim"])
    batches = [t.unsqueeze(1) for t in inputs]
    losses, _ = torch.func.vmap(function)(*batches)
    for i in range(2):
        alone, _ = function(*(t[i : i + 1] for t in inputs))
        torch.testing.assert_close(losses[i], alone)


def test_threads_do_not_change_the_result():
    inputs = make_inputs((1, 2, 3, 150, 11))
    results = []
    for threads in (1, 3, 3):
        torch.set_num_threads(threads)
        results.append(run_loss(inputs, backend="cpu"))
    for other in results[1:]:
        for name, value in results[0].items():
            assert torch.equal(other[name], value), name


def test_the_rule_can_fail(monkeypatch):
    inputs = make_inputs((1, 1, 3, 13, 19))
    original = cpu.forward

    def wrong(*args):
        loss, parts, gradients = original(*args)
        return loss, parts, [gradient.flip(-1) for gradient in gradients]

    monkeypatch.setattr(cpu, "forward", wrong)
    with pytest.raises(AssertionError, match="flow: error"):
        check_loss(inputs, "cpu")


@pytest.mark.parametrize("scales", [1, 2])
def test_the_former_name_of_an_option_works_with_a_warning(scales):
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand(1, 3, 2, 24, 24, generator=generator)
    flows = [torch.rand(1, 2, 24 // s, 24 // s, generator=generator) for s in (1, 2)]

    def run(**options):
        if scales == 1:
            target, source = frames.unbind(2)
            return motion_loss(target, source, flows[0], flow_scale=1.0, **options)[0]
        options |= dict(flow_scales=(1.0, 0.5), ssim_weights=(0.1, 0.1))
        return multiscale_motion_loss(frames, flows, **options)[0]

    with pytest.warns(FutureWarning, match="ssim_centre is now ssim_center"):
        found = run(ssim_centre=3.0)
    assert found == run(ssim_center=3.0)
    assert found != run()
    with pytest.raises(TypeError, match="give only the latter"):
        run(ssim_centre=3.0, ssim_center=3.0)
