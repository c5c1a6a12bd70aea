import ctypes
import os
import re
import sys
import threading
from pathlib import Path

import pytest
import torch
from helpers.repflow_cases import check_against_reference, run_flow
from repflow_inputs import PARAMETERS, make_maps, make_parameters
from torch.library import opcheck

from flowzoo_kernels import representation_flow
from flowzoo_kernels.repflow import cpu
from flowzoo_kernels.repflow.reference import default_kernels

VARIANTS = ("paper", "tvl1")
NEEDS = [True] * 7 + [False]  # a gradient for each tensor; there is no initial flow
SHAPES = [
    (2, 3, 4, 7, 5),
    (1, 1, 2, 1, 1),
    (1, 3, 3, 1, 6),
    (2, 1, 2, 5, 1),
    (1, 2, 3, 2, 2),
    (1, 9, 2, 13, 11),
    (1, 1, 12, 4, 3),  # one channel: a clip is cut into chunks
    (70, 2, 3, 3, 4),  # many clips: it is not
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


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes(shape, variant):
    check_against_reference("cpu", make_maps(shape), variant, 7)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sobel_filters_have_a_kernel_of_their_own(shape):
    check_against_reference("cpu", make_maps(shape), "paper", 7, sobel=True)


def test_which_filters_are_sobel(monkeypatch):
    x, schemes = make_maps((1, 2, 2, 4, 4)), []
    forward_group = cpu.forward_group
    monkeypatch.setattr(
        cpu, "forward_group", lambda *a: schemes.append(a[5]) or forward_group(*a)
    )
    for variant in VARIANTS:
        kernels = default_kernels(variant, 2)
        scalars = torch.tensor([0.3, 0.15, 0.25])
        others = kernels[0], kernels[1] * 1.001, kernels[2]
        for chosen in (kernels, others):
            representation_flow(x, *chosen, *scalars, 1, variant)
    assert [scheme.sobel for scheme in schemes] == [True, False, False, False]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("n_iters", [1, 2, 20])
def test_iterations(n_iters, variant):
    check_against_reference("cpu", make_maps((1, 3, 3, 6, 7)), variant, n_iters)


@pytest.mark.parametrize("variant", VARIANTS)
def test_data_term_at_its_limit(variant):
    """Maps in [0, 0.5]: lam has a gradient in both variants."""
    x = make_maps((1, 3, 3, 6, 7)) / 500
    params, grad = make_parameters(variant, 3), torch.randn(1, 6, 2, 6, 7)
    assert run_flow("reference", x, params, grad, 7, variant)["lam"] != 0
    check_against_reference("cpu", x, variant, 7)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_types(dtype, variant):
    check_against_reference("cpu", make_maps((2, 3, 3, 6, 5), dtype), variant, 6)


@pytest.mark.parametrize("variant", VARIANTS)
def test_few_kept_states_change_nothing(variant, monkeypatch):
    x = make_maps((1, 2, 3, 6, 5))
    params = make_parameters(variant, 2)
    grad = torch.randn(1, 4, 2, 6, 5)
    whole = run_flow("cpu", x, params, grad, 17, variant)
    monkeypatch.setattr(cpu, "STATE_BYTES", 0)
    for states in (3, 6):
        monkeypatch.setattr(cpu, "MIN_STATES", states)
        pieces = run_flow("cpu", x, params, grad, 17, variant)
        for name, value in whole.items():
            torch.testing.assert_close(pieces[name], value, rtol=0, atol=0, msg=name)


def peak_of_a_backward_pass(n_iters):
    """Bytes that it adds to the peak memory of a process of its own."""
    shape = (1, 32, 4, 28, 28)
    x = make_maps(shape)
    params = make_parameters("tvl1", 32).values()
    grad = torch.ones(1, 64, 3, 28, 28)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            small = [v[..., :1, :1] for v in (grad, x)]  # what every call loads
            cpu.backward(*small, *params, None, n_iters, "tvl1", NEEDS)
            # Memory that was freed would be used again, uncounted.
            ctypes.CDLL(None).malloc_trim(0)
            Path("/proc/self/clear_refs").write_text("5")  # the peak is what there is
            before = peak_of_this_process()
            cpu.backward(grad, x, *params, None, n_iters, "tvl1", NEEDS)
            os.write(writing, str(peak_of_this_process() - before).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        return int(pipe.read())


def peak_of_this_process():
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_memory_does_not_grow_with_iterations():
    few, many = (peak_of_a_backward_pass(n) for n in (5, 50))
    state = 6 * 30 * 29 * 8 * 4  # of one group of lanes
    assert abs(many - few) < state
    assert few > cpu.MIN_STATES * state  # the measurement sees the states


@pytest.mark.parametrize("variant", VARIANTS)
def test_strides(variant):
    contiguous = make_maps((2, 3, 4, 6, 5))
    n, c, t, h, w = contiguous.shape
    frames_first = contiguous.transpose(1, 2).contiguous()
    layouts = {
        "frames before channels": frames_first.transpose(1, 2),
        "channels last": contiguous.contiguous(memory_format=torch.channels_last_3d),
        "a slice": torch.stack([contiguous, contiguous + 1], -1)[..., 0],
        "expanded": contiguous[:1].expand(2, -1, -1, -1, -1),
    }
    params = make_parameters(variant, c)
    grad = torch.randn(n, t - 1, w, h, 2 * c).permute(0, 4, 1, 3, 2)
    for name, x in layouts.items():
        assert not x.is_contiguous(), name
        expected = run_flow(
            "cpu", x.contiguous(), params, grad.contiguous(), 5, variant
        )
        result = run_flow("cpu", x, params, grad, 5, variant)
        for key, value in expected.items():
            torch.testing.assert_close(result[key], value, rtol=0, atol=0, msg=name)


@pytest.mark.parametrize("variant", VARIANTS)
def test_empty_batch(variant):
    x = make_maps((2, 3, 4, 6, 5))[:0]
    grad = torch.zeros(0, 6, 3, 6, 5)
    result = run_flow("cpu", x, make_parameters(variant, 3), grad, 5, variant)
    assert result["out"].shape == (0, 6, 3, 6, 5)
    for name in PARAMETERS:
        assert (result[name] == 0).all()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("wanted", ["x", *PARAMETERS])
def test_one_gradient_alone(wanted, variant):
    x, params = make_maps((1, 2, 3, 5, 6)), make_parameters(variant, 2)
    grad = torch.randn(1, 4, 2, 5, 6)
    expected = run_flow("cpu", x, params, grad, 4, variant)[wanted]
    leaves = {"x": x, **params}
    leaves[wanted].requires_grad_()
    out = representation_flow(*leaves.values(), 4, variant, "cpu")
    (got,) = torch.autograd.grad(out, leaves[wanted], grad)
    torch.testing.assert_close(got, expected, rtol=0, atol=0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradcheck(variant):
    x = make_maps((1, 2, 3, 4, 5), torch.float64).requires_grad_()
    params = make_parameters(variant, 2, torch.float64)
    params = [p.requires_grad_() for p in params.values()]
    assert torch.autograd.gradcheck(
        lambda *a: representation_flow(*a, 4, variant, "cpu"),
        (x, *params),
        atol=1e-5,
        rtol=1e-4,
    )


def test_nan_and_infinity_are_not_hidden():
    params = make_parameters("tvl1", 2).values()
    for bad in (torch.nan, torch.inf):
        x = make_maps((2, 2, 3, 5, 6))
        x[1, 0, 1, 2, 3] = bad
        out = representation_flow(x, *params, 5, "tvl1", "cpu")
        assert out[0].isfinite().all()
        assert not out[1, 0].isfinite().all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_opcheck(variant):
    x = make_maps((1, 2, 3, 5, 4)).requires_grad_()
    params = [p.requires_grad_() for p in make_parameters(variant, 2).values()]
    options = None, 3, variant, "cpu"
    opcheck(torch.ops.flowzoo.representation_flow.default, (x, *params, *options))
    plain = [t.detach() for t in (torch.rand(1, 4, 2, 5, 4), x, *params)]
    backward = torch.ops.flowzoo.representation_flow_backward.default
    opcheck(backward, (*plain, *options, NEEDS))
    opcheck(backward, (*plain, *options, [False, True] + [False] * 6))


def test_thread_count_does_not_change_the_result():
    x, params = make_maps((5, 3, 3, 5, 6)), make_parameters("paper", 3)
    grad = torch.randn(5, 6, 2, 5, 6)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = run_flow("cpu", x, params, grad, 4, "paper")
        torch.set_num_threads(3)
        three = run_flow("cpu", x, params, grad, 4, "paper")
    finally:
        torch.set_num_threads(threads)
    for name, value in one.items():
        torch.testing.assert_close(three[name], value, msg=name)
    again = run_flow("cpu", x, params, grad, 4, "paper")
    repeated = run_flow("cpu", x, params, grad, 4, "paper")
    for name, value in again.items():
        assert torch.equal(repeated[name], value), name


def test_several_python_threads_at_once():
    x, params = make_maps((3, 3, 3, 6, 5)), make_parameters("tvl1", 3).values()
    expected = representation_flow(x, *params, 5, "tvl1", "cpu")
    results = []

    def work():
        for _ in range(5):
            results.append(representation_flow(x, *params, 5, "tvl1", "cpu"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 20
    assert all(torch.equal(r, expected) for r in results)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_forked_process_after_use():
    x, params = make_maps((3, 3, 3, 6, 5)), make_parameters("tvl1", 3).values()
    expected = representation_flow(x, *params, 5, "tvl1", "cpu")
    child = os.fork()
    if child == 0:
        same = torch.equal(representation_flow(x, *params, 5, "tvl1", "cpu"), expected)
        os._exit(0 if same else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_the_rule_can_fail():
    x, params = make_maps((1, 2, 3, 5, 6)), make_parameters("tvl1", 2)
    wrong = {**params, "lam": params["lam"] * 1.01}
    grad = torch.randn(1, 4, 2, 5, 6)
    result = run_flow("cpu", x, wrong, grad, 4, "tvl1")
    exact = run_flow("reference", x, params, grad, 4, "tvl1")
    assert (result["out"] - exact["out"]).abs().max() > 1e-4
