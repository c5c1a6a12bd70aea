import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import nn

from flowzoo.datasets.motionshapes.scene import render_scene
from flowzoo.models.backbones import PyramidMotionNet
from flowzoo.models.backbones.pyramid_motionnet import enlarge_flow, halve
from flowzoo.models.recognizers import PyramidMotionEstimator

NET = dict(type="TinyMotionNet", num_frames=2)
PREPROCESSOR = dict(
    type="ActionDataPreprocessor",
    mean=[123.0, 117.0, 104.0],
    std=[255.0] * 3,
    format_shape="NCTHW",
)
TEACHER = dict(
    loss=dict(type="SupervisedFlowLoss"), teacher=dict(preset="fast"), doubt=30.0
)


class Always(nn.Module):
    """Flow of so many pixels everywhere, whatever it sees."""

    num_frames = 2

    def __init__(self, x, y):
        super().__init__()
        self.pixels = torch.tensor([x, y])
        self.seen = []

    def forward(self, clips):
        self.seen.append(clips)
        n, _, _, h, w = clips.shape
        flow = (self.pixels / 20).view(1, 2, 1, 1)
        return (flow.expand(n, 2, -(-h // 2), -(-w // 2)),)


def pyramid(net=None, **kwargs):
    built = PyramidMotionNet(NET, **kwargs)
    if net is not None:
        built.motion_net = net
    return built


def make(loss=None, net=NET, **kwargs):
    torch.manual_seed(0)
    return PyramidMotionEstimator(
        dict(type="PyramidMotionNet", motion_net=net, levels=3),
        loss or dict(type="RefinedFlowLoss", steps=2),
        PREPROCESSOR,
        **kwargs,
    )


def batch(count=2, height=48, width=64):
    inputs = []
    for i in range(count):
        scene = render_scene((7, i), height=height, width=width, max_motion=6)
        inputs.append(torch.from_numpy(scene.frames).permute(3, 0, 1, 2)[None])
    return dict(inputs=inputs, data_samples=[ActionDataSample() for _ in inputs])


def test_levels_add_up_each_in_its_own_pixels():
    """A pixel at a quarter of the size is four pixels of the frames."""
    clips = torch.rand(2, 3, 2, 32, 48)
    (flow,) = pyramid(Always(1.0, -0.5), levels=3)(clips)
    assert flow.shape == (2, 2, 32, 48)
    torch.testing.assert_close(20 * flow[:, 0], torch.full((2, 32, 48), 7.0))
    torch.testing.assert_close(20 * flow[:, 1], torch.full((2, 32, 48), -3.5))


def test_finest_level_and_iterations():
    clips = torch.rand(1, 3, 2, 32, 48)
    (flow,) = pyramid(Always(1.0, 0.0), levels=3, finest=1)(clips)
    torch.testing.assert_close(20 * flow[0, 0], torch.full((32, 48), 6.0))
    net = Always(1.0, 0.0)
    (flow,) = pyramid(net, levels=2, iterations=2)(clips)
    torch.testing.assert_close(20 * flow[0, 0], torch.full((32, 48), 6.0))
    assert [x.shape[-1] for x in net.seen] == [24, 24, 48, 48]


def test_finer_levels_see_the_second_frame_warped():
    """Nothing is left of a motion of 8 pixels that the coarsest level has found."""
    torch.manual_seed(0)
    picture = halve(halve(torch.rand(1, 3, 160, 256)))
    picture = nn.functional.interpolate(picture, scale_factor=4, mode="bilinear")
    first, second = picture[..., 8:136], picture[..., :128]

    class Once(Always):
        def forward(self, clips):
            (flow,) = super().forward(clips)
            return (flow * (len(self.seen) == 1),)

    net = Once(2.0, 0.0)
    (flow,) = pyramid(net, levels=3)(torch.stack([first, second], 2))
    torch.testing.assert_close(20 * flow[0, 0], torch.full((160, 128), 8.0))
    inside = (..., slice(8, -24))
    assert (first - second)[inside].abs().mean() > 0.01
    left = net.seen[2][:, :, 0] - net.seen[2][:, :, 1]
    assert left[inside].abs().max() < 1e-6


def test_each_pair_of_a_clip_by_itself():
    torch.manual_seed(0)
    net = pyramid(num_frames=4, levels=2).eval()
    net.init_weights()
    clips = torch.rand(2, 3, 4, 16, 24)
    (flow,) = net(clips)
    assert flow.shape == (2, 6, 16, 24)
    net.num_frames = 2
    for pair in range(3):
        (own,) = net(clips[:, :, pair : pair + 2])
        torch.testing.assert_close(flow[:, 2 * pair : 2 * pair + 2], own)


def test_any_size():
    (flow,) = pyramid(Always(1.0, 1.0), levels=4)(torch.rand(1, 3, 2, 37, 51))
    torch.testing.assert_close(20 * flow, torch.full((1, 2, 37, 51), 15.0))


def test_resizing_keeps_areas_in_place():
    ramp = torch.arange(16.0).expand(1, 2, 8, 16)
    enlarged = enlarge_flow(halve(ramp), (8, 16))
    torch.testing.assert_close(enlarged[..., 1:-1], ramp[..., 1:-1])
    odd = ramp[..., :13]  # the last of seven halved pixels is half a pixel too far in
    enlarged = enlarge_flow(halve(odd), (8, 13))
    torch.testing.assert_close(enlarged[..., 1:11], odd[..., 1:11])
    twice = enlarge_flow(halve(halve(ramp)), (8, 16), 4)
    torch.testing.assert_close(twice[..., 2:-2], ramp[..., 2:-2])


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"num_frames=3.*num_frames=2"):
        PyramidMotionNet(dict(type="TinyMotionNet", num_frames=3))
    with pytest.raises(ValueError, match="finest=3 is no level of 3"):
        pyramid(levels=3, finest=3)
    for wrong in (
        dict(iterations=0), dict(iterations=1.5), dict(num_frames=1),
        dict(num_frames=None), dict(levels="5"), dict(levels=0), dict(finest=-1),
    ):  # fmt: skip
        ((name, value),) = wrong.items()
        with pytest.raises(ValueError, match=f"{name}={value!r}, .* at least"):
            pyramid(**wrong)
    with pytest.raises(TypeError, match="half the frames' size is needed"):
        PyramidMotionNet(dict(type="PyramidMotionNet", motion_net=NET))
    with pytest.raises(ValueError, match="T=2 is needed"):
        pyramid()(torch.rand(1, 3, 3, 32, 32))
    with pytest.raises(TypeError, match="TinyMotionNet, but PyramidMotionNet"):
        PyramidMotionEstimator(NET, dict(type="RefinedFlowLoss"), PREPROCESSOR)
    with pytest.raises(ValueError, match="coarsest"):
        make(coarsest=(3, 1))
    with pytest.raises(ValueError, match="preset='fastest'"):
        make(teacher=dict(preset="fastest"))
    for net, crop in (("TinyMotionNet", [40, 4]), ("MotionNet", (31, 64))):
        # bfloat16's gradients would be random, as at coarse levels
        with pytest.raises(ValueError, match=f"{net} halves .* at least (8|32) pixels"):
            make(net=NET | dict(type=net), crop=crop)
    model = make()
    data = model.data_preprocessor(batch(height=7, width=40), training=True)
    with pytest.raises(ValueError, match=r"frames of 7 x 40 pixels, .* at least 8"):
        model(**data, mode="loss")


@pytest.mark.parametrize("loss", ["RefinedFlowLoss", "UnsupervisedFlowLoss", "teacher"])
def test_training_lowers_the_error_without_labels(loss):
    options = TEACHER if loss == "teacher" else dict(loss=dict(type=loss))
    model = make(coarsest=(2, 2), **options)
    assert MODELS.get("PyramidMotionEstimator") is PyramidMotionEstimator
    model.init_weights()
    data = model.data_preprocessor(batch(), training=True)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    totals = []
    for _ in range(20):
        losses, logged = model.parse_losses(model(**data, mode="loss"))
        optimizer.zero_grad()
        losses.backward()
        optimizer.step()
        totals.append(float(losses.detach()))
    assert np.mean(totals[-5:]) < 0.95 * np.mean(totals[:5])
    levels = {name.split("_")[0] for name in logged if name != "loss"}
    assert levels == {"level0", "level1", "level2"}


@pytest.mark.parametrize(
    ("net", "size", "count"), [("TinyMotionNet", 32, 3), ("MotionNet", 64, 2)]
)
def test_small_frames_have_fewer_levels(net, size, count):
    """Where maps would be one pixel wide, gradients of bfloat16 would be random."""
    model = make(net=NET | dict(type=net), coarsest=(4, 4))
    model.init_weights()
    data = model.data_preprocessor(batch(height=size, width=size), training=True)
    gradients = []
    for bfloat16 in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            losses, logged = model.parse_losses(model(**data, mode="loss"))
        gradient = torch.autograd.grad(losses, list(model.parameters()))
        gradients.append(torch.cat([part.flatten() for part in gradient]))
    levels = {name.split("_")[0] for name in logged if name != "loss"}
    assert levels == {f"level{level}" for level in range(count)}
    assert torch.cosine_similarity(*gradients, dim=0) > 0.9


def test_teacher_is_in_each_levels_pixels():
    model = make(**TEACHER)
    torch.manual_seed(0)
    picture = nn.functional.interpolate(
        torch.rand(1, 3, 16, 20), (64, 80), mode="bicubic"
    )
    moved = torch.roll(picture, 2, dims=3)
    frames = 255 * torch.stack([picture, moved], 2)
    clips = (frames - model.data_preprocessor.mean.view(3, 1, 1, 1)) / 255
    targets = model._targets(clips, 3)
    assert [t.shape[-1] for t in targets] == [80, 40, 20]
    for target, expected in zip(targets, (2.0, 1.0, 0.5), strict=True):
        assert target[0, 0].nanmedian() == pytest.approx(expected, abs=0.05)
        assert target[0, 1].nanmedian() == pytest.approx(0.0, abs=0.05)
    # Where the frames differ whatever the flow, nothing is taught.
    moved[..., 20:40, 30:50] = 1 - moved[..., 20:40, 30:50].round()
    noise = torch.rand(1, 3, 20, 20)
    moved[..., 20:40, 30:50] = noise.round()
    frames = 255 * torch.stack([picture, moved], 2)
    clips = (frames - model.data_preprocessor.mean.view(3, 1, 1, 1)) / 255
    (target,) = model._targets(clips, 1)
    assert target[0, 0, 22:38, 30:46].isnan().float().mean() > 0.3
    assert target[0, 0, 45:].isnan().float().mean() < 0.05


def test_crop_is_the_same_of_frames_and_flow():
    model = make(crop=(8, 12))
    numbers = torch.arange(20.0 * 30).view(1, 1, 20, 30)
    seen = numbers[:, :, None].expand(1, 3, 2, 20, 30)
    window, left = model._cropped(seen, numbers.expand(1, 2, 20, 30))
    assert window.shape == (1, 3, 2, 8, 12)
    assert torch.equal(window[:, 0, 0], left[:, 0])


def test_prediction_is_of_the_frames_size():
    model = make().eval()
    data = model.data_preprocessor(batch())
    with torch.no_grad():
        samples = model(**data, mode="predict")
    assert [s.pred_flow.shape for s in samples] == [(1, 2, 48, 64)] * 2
