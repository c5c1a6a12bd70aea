import pytest
import torch
from helpers.huge_strides import huge_strides
from helpers.upstream_motion_loss import flow_transformer
from helpers.warp_cases import PADDINGS, check_warp, make_inputs, run_warp
from torch.library import opcheck

from flowzoo_kernels import BackwardWarp, backward_warp
from flowzoo_kernels.warp import op

SHAPES = [
    (2, 3, 7, 5),
    (1, 1, 1, 1),
    (1, 2, 1, 6),
    (2, 1, 5, 1),
    (3, 4, 17, 9),
    (1, 2, 16, 33),
]


@pytest.fixture(autouse=True)
def nan_filled_memory():
    """An element that no kernel writes shows."""
    before = torch.utils.deterministic.fill_uninitialized_memory
    torch.utils.deterministic.fill_uninitialized_memory = True
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = before


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("kind", ["fractional", "integer", "outside", "border"])
def test_is_the_upstream_layer(kind, backend):
    image, flow, grad = make_inputs((2, 3, 6, 7), torch.float64)
    if kind == "integer":
        flow = flow.round()
    elif kind == "outside":
        flow = flow + 20
    elif kind == "border":  # within one pixel of the border
        flow = torch.zeros_like(flow)
        flow[:, :, 0], flow[:, 0, :, -1] = -0.375, 0.625
        flow[:, 1, -1], flow[:, 0, :, 0] = 0.25, -0.875
    expected = flow_transformer(image.numpy(), flow.numpy(), grad.numpy())
    got = run_warp(lambda *a: backward_warp(*a, backend=backend), image, flow, grad)
    for name, value in expected.items():
        torch.testing.assert_close(
            got[name], torch.from_numpy(value), rtol=1e-5, atol=1e-12, msg=name
        )
    if kind == "outside":
        assert (got["out"] == 0).all()


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_border_is_the_nearest_pixel(backend):
    image, flow, grad = make_inputs((2, 3, 6, 7), torch.float64)
    wide = torch.nn.functional.pad(image, (9, 9, 9, 9), mode="replicate")
    for moved in (flow, flow - 4, flow.round()):
        inner = torch.nn.functional.pad(moved, (9, 9, 9, 9))
        expected = backward_warp(wide, inner, backend="reference")
        got = backward_warp(image, moved, "border", backend)
        torch.testing.assert_close(got, expected[:, :, 9:-9, 9:-9])
    far = run_warp(
        lambda *a: backward_warp(*a, "border", backend), image, flow + 50, grad
    )
    torch.testing.assert_close(far["out"], image[:, :, -1:, -1:].expand_as(image))
    assert (far["flow"] == 0).all()


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes(shape, padding):
    check_warp(
        lambda *a: backward_warp(*a, padding, "cpu"), make_inputs(shape), padding
    )


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_types(dtype, padding):
    inputs = make_inputs((2, 3, 6, 9), dtype)
    check_warp(lambda *a: backward_warp(*a, padding, "cpu"), inputs, padding)


def test_strides_and_empty():
    image, flow, grad = make_inputs((3, 2, 6, 5))

    def cpu(image, flow):
        return backward_warp(image, flow, backend="cpu")

    expected = run_warp(cpu, image, flow, grad)
    layouts = {
        "channels last": [t.contiguous(memory_format=torch.channels_last) for t in
                          (image, flow, grad)],
        "a slice": [torch.stack([t, t + 1], -1)[..., 0] for t in (image, flow, grad)],
        "transposed": [t.mT.contiguous().mT for t in (image, flow, grad)],
    }  # fmt: skip
    for name, inputs in layouts.items():
        for key, value in run_warp(cpu, *inputs).items():
            torch.testing.assert_close(value, expected[key], rtol=0, atol=0, msg=name)
    empty = run_warp(cpu, image[:0], flow[:0], grad[:0])
    assert empty["out"].shape == (0, 2, 6, 5)
    no_channels = run_warp(cpu, image[:, :0], flow, grad[:, :0])
    assert (no_channels["flow"] == 0).all()


@pytest.mark.parametrize("dim", range(4))
def test_strides_past_2_to_the_31(dim):
    inputs = make_inputs((3, 3, 3, 3), torch.float16)
    image, flow, grad = (huge_strides(t, dim) for t in inputs)

    def cpu(image, flow):
        return backward_warp(image, flow, backend="cpu")

    expected = run_warp(cpu, *inputs)
    image.requires_grad_()  # not by run_warp, which copies
    flow.requires_grad_()
    out = cpu(image, flow)
    grads = torch.autograd.grad(out, [image, flow], grad)
    for got, value in zip((out, *grads), expected.values(), strict=True):
        assert torch.equal(got, value)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("padding", PADDINGS)
def test_not_a_number(padding, backend):
    image, flow, _ = make_inputs((1, 2, 6, 7))
    expected = backward_warp(image, flow, padding, backend)
    for bad in (torch.nan, torch.inf, -torch.inf):
        flow[0, 0, 2, 3], flow[0, 1, 4, 1] = bad, bad
        out = backward_warp(image, flow, padding, backend)
        wrong = out.isnan()
        assert wrong.sum() == 4
        assert wrong[0, :, 2, 3].all()
        torch.testing.assert_close(out[~wrong], expected[~wrong])
    for huge in (1e12, -1e30):
        out = backward_warp(image, torch.full_like(flow, huge), padding, backend)
        assert out.isfinite().all()


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("shape", [(1, 2, 6, 11), (2, 1, 5, 1), (1, 1, 1, 3)], ids=str)
def test_pixels_that_are_not_finite_spread_no_further(shape, padding):
    image, flow, grad = make_inputs(shape)
    image.flatten()[::5] = torch.nan
    grad.flatten()[::7] = torch.inf
    expected, got = (
        run_warp(lambda *a, b=b: backward_warp(*a, padding, b), image, flow, grad)
        for b in ("reference", "cpu")
    )
    assert expected["out"].isfinite().any()
    for name, value in expected.items():
        wrong = ~value.isfinite()
        assert torch.equal(~got[name].isfinite(), wrong), name
        torch.testing.assert_close(got[name][~wrong], value[~wrong], msg=name)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("padding", PADDINGS)
def test_gradcheck(padding, backend):
    image, flow, _ = make_inputs((1, 2, 4, 5), torch.float64)
    inputs = image.requires_grad_(), flow.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda *a: backward_warp(*a, padding, backend), inputs
    )


@pytest.mark.parametrize("wanted", [0, 1])
def test_one_gradient_alone(wanted):
    image, flow, grad = make_inputs((2, 2, 5, 4))
    expected = run_warp(lambda *a: backward_warp(*a, backend="cpu"), image, flow, grad)
    inputs = [image, flow]
    inputs[wanted].requires_grad_()
    out = backward_warp(*inputs, backend="cpu")
    (got,) = torch.autograd.grad(out, inputs[wanted], grad)
    assert torch.equal(got, list(expected.values())[1 + wanted])


def test_operator_contract():
    for dtype in (torch.float32, torch.bfloat16):
        image, flow, _ = make_inputs((2, 3, 5, 4), dtype)
        inputs = image.requires_grad_(), flow.requires_grad_()
        opcheck(op._forward, (*inputs, "zeros", "cpu"))


@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_compile_and_vmap(backend):
    image, flow, grad = make_inputs((4, 2, 5, 6))
    module = BackwardWarp("border", backend)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    expected = run_warp(module, image, flow, grad)
    for key, value in run_warp(compiled, image, flow, grad).items():
        torch.testing.assert_close(value, expected[key], msg=key)
    pairs = image.unflatten(0, (2, 2)), flow.unflatten(0, (2, 2))
    out = torch.func.vmap(module)(*pairs)
    torch.testing.assert_close(out.flatten(0, 1), expected["out"])
    shared = torch.func.vmap(module, (None, 0))(image[:2], pairs[1])
    for i in range(2):
        torch.testing.assert_close(shared[i], module(image[:2], pairs[1][i]))

    inputs = [image.requires_grad_(), flow.requires_grad_()]
    out = module(*inputs)
    several = torch.stack([grad, 2 * grad])
    grads = torch.autograd.grad(out, inputs, several, is_grads_batched=True)
    for got, key in zip(grads, ("image", "flow"), strict=True):
        torch.testing.assert_close(got, torch.stack([expected[key], 2 * expected[key]]))


def test_threads_do_not_change_the_result():
    inputs = make_inputs((2, 3, 400, 150))  # several tasks
    results = []
    for threads in (1, 3, 3):
        torch.set_num_threads(threads)
        results.append(run_warp(lambda *a: backward_warp(*a, backend="cpu"), *inputs))
    for other in results[1:]:
        for name, value in results[0].items():
            assert torch.equal(other[name], value), name


def test_the_rule_can_fail():
    inputs = make_inputs((1, 2, 6, 7))
    with pytest.raises(AssertionError, match="out: error"):
        check_warp(lambda i, f: backward_warp(i, f + 1e-3), inputs, "zeros")


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"image": torch.rand(2, 5, 6)}, ValueError, "image has 3 dimensions"),
        ({"flow": None}, TypeError, "flow is a NoneType, but a tensor"),
        ({"image": torch.ones(2, 3, 5, 6).int()}, TypeError, "floating"),
        ({"image": torch.rand(2, 3, 0, 6)}, ValueError, "no pixels"),
        ({"flow": torch.rand(2, 3, 5, 6)}, ValueError, "flow has 3 channels"),
        ({"flow": torch.rand(2, 2, 5, 7)}, ValueError, r"needs \(2, 2, 5, 6\)"),
        ({"flow": torch.rand(2, 2, 5, 6, device="meta")}, ValueError, "on meta"),
        ({"padding": "reflection"}, ValueError, "'zeros', 'border'"),
        (
            {
                "image": torch.rand(1, 1, 1, 1).expand(1, 1, 1 << 16, 1 << 15),
                "flow": torch.rand(1, 1, 1, 1).expand(1, 2, 1 << 16, 1 << 15),
            },
            ValueError,
            "65536 x 32768 pixels; backend='cpu' takes fewer than",
        ),
        (
            {
                "image": torch.rand(1, 1, 1, 1).expand(1, 1, 1, (1 << 24) + 1),
                "flow": torch.rand(1, 1, 1, 1).expand(1, 2, 1, (1 << 24) + 1),
            },
            ValueError,
            "1 x 16777217 pixels; backend='cpu' takes sides of up to",
        ),
        ({"backend": "cuda"}, ValueError, "'auto', 'triton', 'cpu', 'reference'"),
        ({"backend": "triton"}, ValueError, "needs GPU tensors"),
        (
            {"image": torch.rand(2, 3, 5, 6).double(), "backend": "triton"},
            NotImplementedError,
            "reference",
        ),
    ],
)
def test_errors_say_what_was_wrong(changed, error, message):
    arguments = {"image": torch.rand(2, 3, 5, 6), "flow": torch.rand(2, 2, 5, 6)}
    with pytest.raises(error, match=message):
        backward_warp(**arguments | changed)
