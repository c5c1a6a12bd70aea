"""MFNet's fixed filters by hand, its motion block and the network around it."""

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope

from flowzoo.models.backbones import MFNet
from flowzoo.models.layers.motion_block import (
    DIRECTIONS,
    MotionBlock,
    motion_filter,
)


def test_filters_by_hand():
    """Frames [[1, 2], [3, 4]] and [[10, 20], [30, 40]]."""
    x = torch.tensor([[[1.0, 2], [3, 4]], [[10, 20], [30, 40]]]).view(1, 1, 2, 2, 2)
    found = motion_filter(x)
    assert found.shape == (1, 9, 1, 2, 2)
    by_direction = dict(zip(DIRECTIONS, found[0, :, 0].tolist(), strict=True))
    assert by_direction[0, 0] == [[9, 18], [27, 36]]
    assert by_direction[0, 1] == [[19, -2], [37, -4]]  # the right neighbor
    assert by_direction[0, -1] == [[-1, 8], [-3, 26]]
    assert by_direction[1, 0] == [[29, 38], [-3, -4]]  # the neighbor below
    assert by_direction[-1, 0] == [[-1, -2], [7, 16]]
    assert by_direction[1, 1] == [[39, -2], [-3, -4]]
    assert by_direction[-1, -1] == [[-1, -2], [-3, 6]]
    assert by_direction[1, -1] == [[-1, 28], [-3, -4]]
    assert by_direction[-1, 1] == [[-1, -2], [17, -4]]


def test_a_moving_frame_vanishes_in_its_direction():
    frame = torch.rand(1, 3, 1, 5, 7)
    x = torch.cat((frame, frame.roll((1, -1), (3, 4))), 2)  # a pixel down and left
    inside = motion_filter(x).unflatten(1, (9, 3))[..., 1:-1, 1:-1].abs().amax((2, 3))
    still = inside.flatten(2).amax((0, 2)) == 0
    assert still.nonzero().flatten().tolist() == [DIRECTIONS.index((1, -1))]


def test_filters_are_a_depthwise_convolution():
    x = torch.rand(2, 3, 4, 5, 6, dtype=torch.double)
    kernels = torch.eye(9, dtype=x.dtype).view(9, 1, 3, 3)
    for n in range(2):
        for t in range(3):
            expected = [F.conv2d(x[n, :, t + 1, None], kernels, padding=1)]
            expected = expected[0].transpose(0, 1) - x[n, :, t]
            torch.testing.assert_close(
                motion_filter(x)[n, :, t].unflatten(0, (9, 3)), expected
            )


@pytest.mark.parametrize("fusion", ["sum", "concat"])
def test_block(fusion):
    torch.manual_seed(0)
    block = MotionBlock(32, reduction=4, fusion=fusion)
    x = torch.rand(2, 32, 4, 5, 6, requires_grad=True)
    out = block(x)
    assert out.shape == x.shape
    out.square().sum().backward()
    assert x.grad.isfinite().all()
    assert all(p.grad.any() for p in block.parameters())
    # a frame depends on itself and the next one
    (grad,) = torch.autograd.grad(block.eval()(x)[:, :, 1].sum(), x)
    seen = grad.abs().amax((0, 1, 3, 4)) > 0
    assert seen.tolist() == [False, True, True, False]
    # the motion of the last one is zero
    last = x[:, :, -1]
    if block.fuse is not None:
        last = block.fuse(torch.cat((last, torch.zeros_like(last)), 1))
    torch.testing.assert_close(block(x)[:, :, -1], last.relu())
    with pytest.raises(ValueError, match="raise clip_len"):
        block(x[:, :, :1])


def parameters(model):
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("depth", "resnet", "channels"),
    [
        # torchvision's with 1000 classes, minus their classifier
        (18, 11_689_512 - 513_000, (64, 128, 256, 512)),
        (34, 21_797_672 - 513_000, (64, 128, 256, 512)),
        (50, 25_557_032 - 2_049_000, (256, 512, 1024, 2048)),
    ],
)
@pytest.mark.parametrize("fusion", ["sum", "concat"])
def test_parameters(depth, resnet, channels, fusion):
    expected = resnet
    for c in channels:
        r = c // 16
        expected += c * r + 2 * r + 9 * r * c + 2 * c
        expected += (2 * c * c + 2 * c) * (fusion == "concat")
    with torch.device("meta"):
        model = MFNet(depth, fusion=fusion)
    assert parameters(model) == expected


def test_a_training_step():
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(dict(type="MFNet", depth=18, base_channels=8))
    model.init_weights()
    out = model.train()(torch.rand(2, 3, 4, 64, 48))
    assert out.shape == (2, 64, 4, 2, 2)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    before = [p.detach().clone() for p in model.parameters()]
    out.square().mean().backward()
    optimizer.step()
    for old, new in zip(before, model.parameters(), strict=True):
        assert new.isfinite().all() and not torch.equal(old, new)


def test_wrong_options_are_named():
    with pytest.raises(ValueError, match="reduction=0, but at least 1"):
        MFNet(18, reduction=0)
    with pytest.raises(ValueError, match="fusion='mean'"):
        MFNet(18, fusion="mean")
    with pytest.raises(ValueError, match=r"no stage \['layer5'\]"):
        MFNet(18, blocks=("layer5",))
