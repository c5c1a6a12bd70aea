import numpy as np
import pytest
import torch
import torch.nn.functional as F

from flowzoo.datasets.motionshapes.clip import render_clip
from flowzoo.models.losses import RefinedFlowLoss
from flowzoo_kernels import multiscale_motion_loss

MEAN = torch.tensor([123.0, 117.0, 104.0]).view(3, 1, 1, 1)


@pytest.fixture(scope="module")
def shapes():
    """Clips of three frames, one of each class, and their true flow in pixels."""
    rendered = [render_clip(label, (3, label), 3, 48) for label in range(8)]
    frames = torch.from_numpy(np.stack([clip.frames for clip in rendered]))
    truth = torch.from_numpy(np.stack([clip.flow for clip in rendered]))
    return (frames.permute(0, 4, 1, 2, 3) - MEAN) / 255, truth.flatten(1, 2)


def zero_flows(clips):
    n, _, frames, h, w = clips.shape
    return [torch.zeros(n, 2 * (frames - 1), h >> i, w >> i) for i in (1, 2, 3)]


def test_refined_flow_is_nearer_to_the_true_one(shapes):
    clips, truth = shapes
    start = zero_flows(clips)[0]
    refined, _ = RefinedFlowLoss(steps=80).refine(clips, start)
    assert refined.shape == start.shape and not refined.requires_grad
    full = F.interpolate(20 * refined, (48, 48), mode="bilinear", align_corners=True)
    error = (full - truth).unflatten(1, (2, 2)).norm(dim=2)
    zero = truth.unflatten(1, (2, 2)).norm(dim=2)
    # both pairs of frames, and every clip
    assert (error.mean((0, 2, 3)) < 0.5 * zero.mean((0, 2, 3))).all()
    assert (error.mean((2, 3)) < zero.mean((2, 3))).all()


def test_flow_of_the_frames_size_is_in_its_pixels(shapes):
    clips, truth = shapes
    start = torch.zeros_like(truth)
    refined, _ = RefinedFlowLoss(steps=2).refine(clips, start)
    expected, _ = RefinedFlowLoss(steps=2, flow_scale=20.0).refine(clips, start)
    assert torch.equal(refined, expected)


def test_loss_falls_from_the_flow_it_starts_from(shapes):
    clips, _ = shapes
    flow = 0.05 * torch.randn(8, 4, 24, 24, generator=torch.Generator().manual_seed(0))
    loss = RefinedFlowLoss()
    refined, last = loss.refine(clips, flow)

    def motion(flow):
        return multiscale_motion_loss(
            clips,
            [flow],
            flow_scales=(10,),
            smoothness_weights=(6,),
            ssim_weights=(0.01,),
            border=0,
        )[0]

    assert motion(refined) < 0.5 * motion(flow)
    torch.testing.assert_close(motion(refined), last, rtol=0.05, atol=0)
    # one step of all fields, in pixels
    near, _ = RefinedFlowLoss(steps=1, step_size=0.4).refine(clips, flow)
    assert 0.1 < 20 * (near - flow).abs().max() <= 0.401


def test_distance_to_the_refined_flow_at_every_scale(shapes):
    clips, _ = shapes
    flows = [flow.requires_grad_() for flow in zero_flows(clips)]
    loss = RefinedFlowLoss(steps=5)
    losses = loss(clips, flows)
    refined, motion = loss.refine(clips, flows[0])
    expected = {
        f"epe_{2 << i}": F.avg_pool2d(20 * refined, 1 << i)
        .unflatten(1, (2, 2))
        .norm(dim=2)
        .mean()
        for i in range(3)
    }
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value)
    torch.testing.assert_close(losses["loss_flow"], sum(expected.values()))
    torch.testing.assert_close(losses["refined_motion"], motion)
    losses["loss_flow"].backward()
    for flow, size in zip(flows, (1, 2, 4), strict=True):
        # a step down this gradient goes toward the refined flow, which is constant
        target = F.avg_pool2d(refined, size)
        assert (flow.grad * target).sum() < 0


def test_autocast_changes_nothing(shapes):
    clips, _ = shapes
    flows = zero_flows(clips)
    loss = RefinedFlowLoss(steps=3)
    plain = loss(clips, flows)
    with torch.autocast("cpu", torch.bfloat16):
        half = loss(clips, flows)
    assert half == plain


def test_it_works_where_gradients_are_off(shapes):
    clips, _ = shapes
    with torch.no_grad():
        losses = RefinedFlowLoss(steps=2)(clips, zero_flows(clips))
    assert not losses["loss_flow"].requires_grad


@pytest.mark.parametrize("options", [dict(steps=0), dict(num_fields=0)])
def test_errors(options):
    with pytest.raises(ValueError, match="at least 1"):
        RefinedFlowLoss(**options)
