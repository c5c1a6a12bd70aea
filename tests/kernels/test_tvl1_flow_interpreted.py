"""The Triton kernels of TV-L1 flow, interpreted on the CPU, against the definition."""

import pytest
import torch
import torch.nn.functional as F
from helpers.triton_interpreter import patch_once

from flowzoo_kernels.tvl1_flow import gpu, op
from flowzoo_kernels.tvl1_flow.options import PRESETS
from flowzoo_kernels.tvl1_flow.reference import tvl1_flow_reference


@pytest.fixture(autouse=True)
def small_windows(monkeypatch):
    """Several windows, of fewer pixels than the frames have."""
    patch_once(monkeypatch)
    for name, value in {"ROWS": 16, "COLS": 16, "STEPS": 3, "BLOCK": 128}.items():
        monkeypatch.setattr(gpu, name, value)


def moving_frames(n=1, t=2, h=21, w=26, dx=1, dy=1):
    """Smooth noise (n, t, h, w) in [0, 255] that moves by dx, dy pixels a frame."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(n, 1, h // 4 + 4, w // 4 + 4, generator=generator)
    size = h + 2 * t * abs(dy), w + 2 * t * abs(dx)
    scene = 255 * F.interpolate(noise, size=size, mode="bicubic")[:, 0].clamp(0, 1)
    corners = [((t - k) * dy, (t - k) * dx) for k in range(t)]
    return torch.stack([scene[:, y : y + h, x : x + w] for y, x in corners], 1)


def both(frames, initial=None, preset="opencv", **changes):
    options = PRESETS[preset]._replace(**changes)
    ours = op._forward(frames, initial, *options, "triton")
    exact = tvl1_flow_reference(frames.double(), initial, options)
    eager = tvl1_flow_reference(frames, initial, options)
    assert exact.abs().max() > 0.1
    return ours, exact.float(), (eager - exact).abs().max().item()


# Few iterations: they amplify rounding where the frames leave the flow open.
SHORT = {"epsilon": 0.0, "warps": 2, "scales": 2, "inner_iterations": 5}
SHORT["outer_iterations"] = 2


@pytest.mark.parametrize(
    "changes",
    [
        {"median": 1},
        {"median": 3, "outer_iterations": 1},
        pytest.param({"outer_iterations": 1}, marks=pytest.mark.slow),
        {"interpolation": "bilinear", "median": 1, "scales": 1, "inner_iterations": 4},
        {"tau": 0.2, "lam": 0.05, "theta": 0.4, "median": 1, "scales": 1},
    ],
    ids=str,
)
def test_is_the_definition(changes):
    ours, exact, rounding = both(moving_frames(), **SHORT | changes)
    assert (ours - exact).abs().max() <= 4 * rounding + 1e-4


def test_batch_and_pairs():
    frames = moving_frames(2, 3, 17, 19)
    options = SHORT | {"median": 1, "scales": 1, "warps": 1, "outer_iterations": 1}
    ours, exact, _ = both(frames, **options)
    torch.testing.assert_close(ours, exact, rtol=0, atol=1e-4)
    assert torch.equal(both(frames[1:], **options)[0], ours[1:])
    assert torch.equal(both(frames, **options)[0], ours)  # repeatable


@pytest.mark.parametrize("h, w", [(1, 1), (1, 9), (9, 1), (10, 10), (11, 21)])
def test_sizes(h, w):
    frames = moving_frames(1, 2, max(h, 8), max(w, 8))[..., :h, :w]
    frames[:, 1] += 20
    options = PRESETS["opencv"]._replace(**SHORT | {"outer_iterations": 1})
    ours = op._forward(frames, None, *options, "triton")
    expected = tvl1_flow_reference(frames, None, options)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-4)


def test_initial_flow_far_outside_too():
    frames = moving_frames()
    initial = torch.zeros(1, 2, 1, 21, 26)
    initial[:, 0], initial[..., 3:6, 4] = 0.7, 1e12
    options = SHORT | {"median": 1, "outer_iterations": 1, "scales": 1, "warps": 1}
    ours, exact, _ = both(frames, initial, **options)
    near = initial < 1e6
    torch.testing.assert_close(ours[near], exact[near], rtol=0, atol=1e-4)
    assert ours.isfinite().all()


@pytest.mark.parametrize(
    "epsilon", [0.24, 0.15, pytest.param(0.07, marks=pytest.mark.slow)]
)
def test_each_pair_stops_at_its_own_iteration(epsilon):
    """In the middle of a launch of three iterations, at its end, and never."""
    frames = moving_frames(1, 4, 20, 24)
    frames[:, 1] = frames[:, 0]  # the first pair does not move
    options = {"epsilon": epsilon, "warps": 1, "scales": 1, "median": 3}
    options |= {"inner_iterations": 8, "outer_iterations": 2}
    ours, exact, _ = both(frames, **options)
    torch.testing.assert_close(ours, exact, rtol=0, atol=1e-4)
    never = both(frames, **options | {"epsilon": 0.0})[1]
    assert (never - exact).abs().max() > 1e-3


def test_nothing_waits_for_the_device(monkeypatch):
    """No value is read by the host until the flow is returned."""
    frames = moving_frames(1, 2, 12, 12)

    def fail(*args):
        raise AssertionError("the host reads a tensor")

    options = PRESETS["fast"]._replace(warps=1, inner_iterations=3)
    with monkeypatch.context() as patch:
        for name in ("item", "tolist", "__bool__", "__float__", "__int__"):
            patch.setattr(torch.Tensor, name, fail)
        kernels = [gpu.warp_kernel, gpu.median_kernel, gpu.iterate_kernel]
        for kernel in [*kernels, gpu.stop_kernel]:
            patch.setattr(type(kernel), "__getitem__", lambda *a: lambda *b, **c: None)
        gpu.forward(frames, None, options)
