import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope

from flowzoo.models.backbones import TVNetTemporalStream
from flowzoo_kernels import tvl1_energy

STAGE = dict(
    type="ResNet", depth=18, num_stages=1, strides=(1,), dilations=(1,),
    out_indices=(0,), in_channels=4,
)  # fmt: skip
TIME = dict(STAGE, type="RepFlowResNet", flow_after=None, in_channels=2)


def build(**options):
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmaction"):
        config = dict(type="TVNetTemporalStream", flow=dict(n_iters=3)) | options
        return MODELS.build(config)


@pytest.mark.parametrize(
    ("layout", "temporal", "frames"), [("channels", STAGE, 1), ("time", TIME, 2)]
)
def test_the_network_sees_scaled_flow(layout, temporal, frames):
    model = build(layout=layout, temporal=temporal, bound=0.5).eval()
    clips = 255 * torch.rand(2, 3, 3, 32, 32)
    with torch.no_grad():
        found = model(clips)
        images = model.tvnet(clips).clamp(-0.5, 0.5) / 0.5
        if layout == "channels":  # x and y of the first pair, then of the second
            images = torch.stack(
                [images[:, c, t] for t in (0, 1) for c in (0, 1)], dim=1
            )
        expected = model.temporal(images)
    assert found.shape == (2, 64, frames, 8, 8)
    torch.testing.assert_close(found, expected.view_as(found))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype):
    """The flow itself is computed in float32."""
    model = build(layout="time", temporal=TIME).eval()
    clips = torch.randint(256, (1, 3, 3, 32, 32)).float()
    with torch.no_grad():
        expected = model(clips)
        found = model.to(dtype)(clips)
    assert found.dtype == dtype
    error = (found.float() - expected).norm() / expected.norm()
    assert error < 8 * torch.finfo(dtype).eps


def test_energy_goes_to_the_loss_in_training():
    model = build(temporal=STAGE, energy=True)
    clips = 255 * torch.rand(1, 3, 3, 32, 32)
    neck = MODELS.build(
        dict(type="MotionLossNeck", loss=dict(type="TVL1EnergyLoss"), loss_weight=0.1)
    )
    features, losses = neck(model(clips))
    assert features.shape == (1, 64, 1, 8, 8)
    expected = 0.1 * tvl1_energy(clips, model.tvnet(clips))
    torch.testing.assert_close(losses["loss_energy"], expected)
    losses["loss_energy"].backward()
    assert model.tvnet.divergence.grad.abs().max() > 0
    assert neck(model.eval()(clips))[1] == {}


def test_unknown_layout():
    with pytest.raises(ValueError, match="layout='depth'"):
        TVNetTemporalStream(STAGE, layout="depth")


@pytest.mark.parametrize("bound", [0, -1.0, float("nan")])
def test_the_bound_is_positive(bound):
    with pytest.raises(ValueError, match=f"bound={bound}, but it must be a positive"):
        TVNetTemporalStream(temporal={}, bound=bound)
