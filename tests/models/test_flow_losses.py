import pytest
import torch
from mmaction.structures import ActionDataSample

from flowzoo.models.flow_units import reduction
from flowzoo.models.losses import SupervisedFlowLoss, UnsupervisedFlowLoss
from flowzoo_kernels import multiscale_motion_loss

# as published, from fine to coarse
FLOW_SCALES = (10, 5, 2.5, 1.25, 0.625)
SSIM_WEIGHTS = (0.01, 0.02, 0.04, 0.08, 0.16)


def make_flows(levels, n=2, frames=3, size=64):
    generator = torch.Generator().manual_seed(0)
    clips = torch.rand(n, 3, frames, size, size, generator=generator) - 0.5
    channels = 2 * (frames - 1)
    return clips, [
        0.1 * torch.randn(n, channels, size >> i, size >> i, generator=generator)
        for i in range(1, levels + 1)
    ]


def with_truth(*flows):
    samples = [ActionDataSample() for _ in flows]
    for sample, flow in zip(samples, flows, strict=True):
        sample.set_field(flow, "gt_flow")
    return samples


@pytest.mark.parametrize("levels", [3, 5])
def test_unsupervised_loss_has_the_published_weights(levels):
    clips, flows = make_flows(levels)
    losses = UnsupervisedFlowLoss()(clips, flows)
    expected, parts = multiscale_motion_loss(
        clips,
        flows,
        flow_scales=FLOW_SCALES[:levels],
        ssim_weights=SSIM_WEIGHTS[:levels],
    )
    torch.testing.assert_close(losses.pop("loss_motion"), expected)
    sizes = [2, 4, 8, 16, 32][:levels]
    assert set(losses) == {f"{part}_{size}" for part in parts for size in sizes}
    torch.testing.assert_close(losses["ssim_4"], parts["ssim"][1])


def test_unsupervised_loss_of_flow_that_has_the_frames_size():
    """PyramidMotionNet's: a unit is 20 of its pixels, not 10."""
    clips, _ = make_flows(1)
    n, _, frames, h, w = clips.shape
    flows = [0.05 * torch.randn(n, 2 * (frames - 1), h, w)]
    losses = UnsupervisedFlowLoss()(clips, flows)
    assert losses == UnsupervisedFlowLoss(flow_scales=(20.0,))(clips, flows)
    assert "photometric_1" in losses


@pytest.mark.parametrize("width", [32, 33, 64, 127, 257])
@pytest.mark.parametrize("halve", [lambda x: -(-x // 2), lambda x: x // 2])
def test_reduction(width, halve):
    """Of sizes that are rounded, too."""
    w = width
    for factor in (1, 2, 4, 8):
        assert reduction(torch.zeros(1, 3, 2, 5, width), torch.zeros(1, 2, 5, w)) == (
            factor
        )
        w = halve(w)


def test_unsupervised_loss_takes_other_weights():
    clips, flows = make_flows(3)
    tenth = [weight / 10 for weight in SSIM_WEIGHTS[:3]]
    losses = UnsupervisedFlowLoss(ssim_weights=tenth, smoothness_weights=(0, 0, 0))(
        clips, flows
    )
    expected = sum(
        losses[f"photometric_{size}"] + weight * losses[f"ssim_{size}"]
        for size, weight in zip((2, 4, 8), tenth, strict=True)
    )
    torch.testing.assert_close(losses["loss_motion"], expected)


@pytest.mark.parametrize("norm, error", [("epe", 5.0), ("l1", 7.0)])
def test_supervised_loss_is_in_pixels_of_the_frames(norm, error):
    clips = torch.zeros(2, 3, 3, 16, 16)
    truth = torch.zeros(2, 2, 16, 16)
    truth[:, 0], truth[:, 1] = 7.0, -4.0
    flows = [torch.zeros(2, 4, size, size, requires_grad=True) for size in (8, 4)]
    for flow in flows:  # 4 pixels to the right and 8 down: off by (3, 4) ... times -1
        flow.data[:, 0::2], flow.data[:, 1::2] = 4 / 20, -8 / 20
    loss = SupervisedFlowLoss(norm, weights=(1.0, 0.5))
    losses = loss(clips, flows, with_truth(truth, truth))
    torch.testing.assert_close(losses[f"{norm}_2"], torch.tensor(error))
    torch.testing.assert_close(losses["loss_flow"], torch.tensor(1.5 * error))
    losses["loss_flow"].backward()
    # descent makes the first component larger, and the second, too
    assert (flows[0].grad < 0).all()


def test_supervised_loss_compares_every_pair_with_its_own_truth():
    clips = torch.zeros(2, 3, 4, 16, 16)
    truth = [torch.randn(3, 2, 1, 1).expand(3, 2, 16, 16).clone() for _ in range(2)]
    flow = torch.stack(truth).flatten(1, 2)[..., ::2, ::2] / 20
    losses = SupervisedFlowLoss()(clips, [flow], with_truth(*truth))
    torch.testing.assert_close(
        losses["loss_flow"], torch.tensor(0.0), atol=1e-5, rtol=0
    )
    losses = SupervisedFlowLoss()(clips, [flow.flip(0)], with_truth(*truth))
    assert losses["loss_flow"] > 0.1


def test_unknown_flow_is_left_out():
    clips = torch.zeros(1, 3, 2, 16, 16)
    truth = torch.ones(1, 2, 16, 16)
    truth[..., :8] = float("nan")
    flow = torch.zeros(1, 2, 8, 8, requires_grad=True)
    losses = SupervisedFlowLoss("l1")(clips, [flow], with_truth(truth))
    torch.testing.assert_close(losses["loss_flow"], torch.tensor(2.0))
    losses["loss_flow"].backward()
    assert not flow.grad[..., :4].any() and flow.grad[..., 4:].all()
    truth[:] = float("nan")
    losses = SupervisedFlowLoss()(clips, [flow], with_truth(truth))
    assert losses["loss_flow"] == 0


def test_errors():
    clips, flows = make_flows(1)
    with pytest.raises(ValueError, match="norm='l2'"):
        SupervisedFlowLoss("l2")
    with pytest.raises(ValueError, match="LoadMotionShapesFlow"):
        SupervisedFlowLoss()(clips, flows, [ActionDataSample(), ActionDataSample()])
    truth = torch.zeros(2, 2, 64, 64)
    with pytest.raises(ValueError, match="2 weights for 1 scales"):
        SupervisedFlowLoss(weights=(1, 1))(clips, flows, with_truth(truth, truth))
    with pytest.raises(ValueError, match="TransformWithFlow"):
        SupervisedFlowLoss()(clips, flows, with_truth(truth[..., 1:], truth[..., 1:]))
