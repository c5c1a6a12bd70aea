import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope

from flowzoo.models.flow_units import PIXELS_PER_UNIT


def build(frames):
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmaction"):
        net = dict(type="TinyMotionNet", num_frames=frames)
        return MODELS.build(dict(type="TaughtFlowLoss", motion_net=net)).train()


def test_the_teachers_flow_has_no_distance():
    """Two windows of three frames; only what MotionNet says itself is right."""
    loss = build(3)
    clips = torch.randn(2, 3, 5, 64, 64)
    with torch.no_grad():
        flows = [loss.motion_net(clips[:, :, t : t + 3])[0] for t in (0, 2)]
        flow = torch.cat(flows, 1)
        # in the size of the frames, as the losses enlarge it
        full = torch.nn.functional.interpolate(
            flow, (64, 64), mode="bilinear", align_corners=True
        )
    assert loss(clips, [full])["loss_flow"] < 1e-4
    shifted = full + 3 / PIXELS_PER_UNIT  # by 3 pixels in x and y
    torch.testing.assert_close(
        loss(clips, [shifted])["loss_flow"], torch.tensor(18.0).sqrt()
    )


def test_the_teacher_does_not_learn():
    loss = build(2)
    flow = torch.zeros(1, 4, 16, 16, requires_grad=True)
    loss(torch.randn(1, 3, 3, 64, 64), [flow])["loss_flow"].backward()
    assert flow.grad.any()
    assert all(p.grad is None for p in loss.motion_net.parameters())
    assert not loss.motion_net.training


def test_frames_that_do_not_fit():
    with pytest.raises(ValueError, match="set clip_len"):
        build(3)(torch.randn(1, 3, 4, 64, 64), [])
