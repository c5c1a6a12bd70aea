"""The kernels of TV-L1 flow on a GPU, against the definition in float64."""

import pytest
import torch
import torch.nn.functional as F

from flowzoo_kernels import tvl1_flow

# Few iterations: they amplify rounding where the frames leave the flow open.
SHORT = {"epsilon": 0.0, "warps": 2, "scales": 2, "inner_iterations": 8}
SHORT["outer_iterations"] = 2


def moving_frames(n, t, h, w, dx=1, dy=1):
    """Smooth noise (n, t, h, w) in [0, 255] that moves by dx, dy pixels a frame."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(n, 1, h // 6 + 4, w // 6 + 4, generator=generator)
    size = h + 2 * t * dy, w + 2 * t * dx
    scene = 255 * F.interpolate(noise, size=size, mode="bicubic")[:, 0].clamp(0, 1)
    corners = [((t - k) * dy, (t - k) * dx) for k in range(t)]
    return torch.stack([scene[:, y : y + h, x : x + w] for y, x in corners], 1).cuda()


@pytest.mark.parametrize("h, w", [(1, 1), (17, 16), (22, 54), (23, 55), (96, 131)])
@pytest.mark.parametrize("median", [1, 3, 5])
def test_is_the_definition(h, w, median):
    frames = moving_frames(2, 3, h, w)
    options = SHORT | {"median": median, "data_range": 255.0}
    ours = tvl1_flow(frames, backend="triton", **options)
    exact = tvl1_flow(frames.double(), backend="reference", **options)
    eager = tvl1_flow(frames, backend="reference", **options)
    rounding = (eager - exact).abs().max()
    assert (ours - exact).abs().max() <= 4 * rounding + 1e-4


@pytest.mark.parametrize("preset", ["opencv", "cuda", "fast"])
def test_finds_the_motion(preset):
    frames = moving_frames(3, 3, 120, 150, dx=3, dy=2)
    flow = tvl1_flow(frames, preset, data_range=255.0)
    assert torch.equal(flow, tvl1_flow(frames, preset, data_range=255.0))
    motion = torch.tensor([3.0, 2.0], device="cuda").view(1, 2, 1, 1, 1)
    assert (flow - motion)[..., 16:-16, 16:-16].abs().mean() < 0.05
    host = tvl1_flow(frames.cpu(), preset, data_range=255.0)
    assert (flow.cpu() - host).abs().mean() < 0.02


def test_nothing_waits_for_the_device():
    frames = moving_frames(1, 2, 64, 64)
    initial = torch.zeros(1, 2, 1, 64, 64, device="cuda")
    tvl1_flow(frames, "fast", initial_flow=initial)
    torch.cuda.set_sync_debug_mode("error")
    try:
        tvl1_flow(frames, "fast", initial_flow=initial)
    finally:
        torch.cuda.set_sync_debug_mode("default")
