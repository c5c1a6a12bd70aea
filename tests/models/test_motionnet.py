import pytest
import torch
from mmaction.registry import MODELS

from flowzoo.models.backbones.motionnet import FlowDecoder, MotionNet, TinyMotionNet
from flowzoo_kernels import multiscale_motion_loss
from flowzoo_kernels.motion_loss.op import FLOW_SCALES, SSIM_WEIGHTS

# At 11 frames: MotionNet's count is the authors', the others' sizes are published in
# MB of float32: 8, 195 and 213.
PARAMETERS = {
    "MotionNet": 42_319_860,
    "TinyMotionNet": 1_950_308,
    "VGG16MotionNet": 47_629_556,
    "ResNet50MotionNet": 53_237_236,
}
LEVELS = dict.fromkeys(PARAMETERS, 5) | {"TinyMotionNet": 3}


def build(name, num_frames):
    return MODELS.get(name)(num_frames=num_frames)


@pytest.mark.parametrize("name, count", PARAMETERS.items())
def test_parameter_count(name, count):
    with torch.device("meta"):
        net = build(name, 11)
    assert sum(p.numel() for p in net.parameters()) == count


@pytest.mark.parametrize("num_frames", [2, 5, 11])
@pytest.mark.parametrize("name", PARAMETERS)
def test_flows_halve_from_scale_to_scale(name, num_frames):
    with torch.device("meta"):
        net = build(name, num_frames)
        # odd sizes are rounded up
        flows = net(torch.empty(2, 3, num_frames, 70, 96))
    channels = 2 * (num_frames - 1)
    expected = [(35, 48), (18, 24), (9, 12), (5, 6), (3, 3)][: LEVELS[name]]
    assert [tuple(f.shape) for f in flows] == [(2, channels, *s) for s in expected]


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_gets_a_gradient_from_the_motion_losses(name):
    torch.manual_seed(0)
    net = build(name, 3)
    clips = 0.3 * torch.randn(2, 3, 3, 64, 64)
    flows = net(clips)
    scales = FLOW_SCALES[: len(flows)], SSIM_WEIGHTS[: len(flows)]
    loss, _ = multiscale_motion_loss(
        clips, flows, flow_scales=scales[0], ssim_weights=scales[1]
    )
    loss.backward()
    missing = [n for n, p in net.named_parameters() if p.grad is None]
    assert missing == []


def test_frames_enter_one_after_the_other():
    net = TinyMotionNet(num_frames=3)
    seen = []
    net.conv1.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    clips = torch.rand(2, 3, 3, 16, 16)
    net(clips)
    for t in range(3):
        torch.testing.assert_close(seen[0][:, 3 * t : 3 * t + 3], clips[:, :, t])


def test_initial_weights_are_msra():
    torch.manual_seed(0)
    net = TinyMotionNet(num_frames=2)
    net.init_weights()
    conv, deconv = net.conv3[0], net.decoder.deconvs[0][0]
    for layer, fan_in in ((conv, 128 * 9), (deconv, 64 * 16)):
        std = (2 / fan_in) ** 0.5
        assert layer.weight.std().item() == pytest.approx(std, rel=0.02)
        assert not layer.bias.any()


def test_features_are_those_that_the_decoder_takes():
    net = TinyMotionNet(num_frames=2).eval()
    clips = torch.rand(1, 3, 2, 24, 24)
    features = net.encode(clips)
    assert [f.shape[1] for f in features] == [128, 256, 128]
    for a, b in zip(net.decoder(features), net(clips), strict=True):
        torch.testing.assert_close(a, b)


def test_errors():
    with pytest.raises(ValueError, match=r"num_frames=12, .* 2 to 11"):
        TinyMotionNet(num_frames=12)
    with pytest.raises(ValueError, match="num_frames=1,"):
        TinyMotionNet(num_frames=1)
    net = TinyMotionNet(num_frames=3)
    for shape in ((2, 3, 4, 16, 16), (2, 9, 16, 16), (2, 1, 3, 16, 16)):
        with pytest.raises(ValueError, match=r"T=3 frames, got .*num_frames"):
            net(torch.rand(shape))
    with pytest.raises(ValueError, match="need 2 numbers of channels"):
        FlowDecoder((8, 8, 8), (8,), 2)


def test_ablation_of_the_smooth_convolutions():
    """Without them, the next level sees what they would have seen."""
    net = MotionNet(smooth_convs=False)
    assert not any("smooth" in name for name, _ in net.named_parameters())
    inputs = [d[0].in_channels for d in net.decoder.deconvs]
    assert inputs == [256 + 128 + 20, 512 + 256 + 20, 512 + 512 + 20, 1024]
    flows = net(torch.rand(1, 3, 11, 64, 64))
    assert [tuple(flow.shape[1:]) for flow in flows] == [
        (20, 64 >> level, 64 >> level) for level in range(1, 6)
    ]


def test_ablation_of_the_small_kernels():
    net = MotionNet(kernels=(7, 5, 5))
    kernels = [getattr(net, f"conv{i}")[0].kernel_size[0] for i in range(1, 7)]
    assert kernels == [7, 5, 5, 3, 3, 3]
    flows = net(torch.rand(1, 3, 11, 64, 64))
    assert flows[0].shape == (1, 20, 32, 32)
